"""医保: rules by kind of insurance as dated data, and each settlement with its steps (M5).

Steps carry the national interface's transaction codes; its field names live behind the port (billing.gateways).
"""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.rules import Dated
from hospital.fields import EncryptedTextField
from hospital.models import Organization, Patient, User
from hospital.models.history import keeps_history

from .fields import yuan
from .invoice import Invoice
from .payment import Way
from .states import INSURANCESETTLEMENT_MOVES, InsuranceSettlementStatus, moves_held


@keeps_history
class InsuranceRule(Dated):
    """医保规则: how a bill is borne by kind of insurance. What is settled in the end is the insurance's own answer;
    these numbers are for the estimate on the page and for the simulator."""

    insurance = models.CharField(_("医保"), max_length=10, choices=Patient.Insurance)
    deductible = yuan(_("年度起付线（元）"), default=0)
    fund_percent = models.DecimalField(_("统筹支付比例（%）"), max_digits=5, decimal_places=2, default=0)
    yearly_cap = yuan(_("年度统筹封顶（元）"), null=True, blank=True)
    account = models.BooleanField(_("可用个人账户"), default=False)

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("医保规则")
        constraints = [
            *Dated.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "insurance", "effective_from"], name="insurancerule_one_a_day"
            ),
            models.CheckConstraint(
                condition=Q(fund_percent__gte=0, fund_percent__lte=100, deductible__gte=0),
                name="insurancerule_sensible",
            ),
            models.CheckConstraint(
                condition=~Q(insurance="none") | Q(fund_percent=0, account=False),
                name="insurancerule_none_pays_nothing",
            ),
        ]

    def __str__(self):
        return f"{self.get_insurance_display()} {self.effective_from}"


@keeps_history
class InsuranceItem(Dated):
    """医保目录: what a price code is on the insurance's list. A counts in full, B but for its own share, C not."""

    class Klass(models.TextChoices):
        A = "A", _("甲类")
        B = "B", _("乙类")
        C = "C", _("丙类")

    code = models.CharField(_("价目代码"), max_length=20)
    national_code = models.CharField(_("国家医保编码"), max_length=30)
    klass = models.CharField(_("类别"), max_length=1, choices=Klass)
    own_percent = models.DecimalField(_("先行自付（%）"), max_digits=5, decimal_places=2, default=Decimal(0))

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("医保目录")
        constraints = [
            *Dated.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "code", "effective_from"], name="insuranceitem_one_a_day"),
            models.CheckConstraint(
                condition=Q(own_percent__gte=0, own_percent__lte=100), name="insuranceitem_sensible"
            ),
        ]

    def __str__(self):
        return f"{self.code} {self.klass}"


class InsuranceSettlement(models.Model):
    """医保结算 of an invoice: from the person check to the settlement, and back. `attempt`: a line was refunded, so the
    rest was settled anew. The numbers that the insurance gave are kept; who the person is there, encrypted."""

    Status, MOVES = InsuranceSettlementStatus, INSURANCESETTLEMENT_MOVES
    STANDS = (Status.SETTLED, Status.REVERSING)

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="settlements", verbose_name=_("账单"))
    attempt = models.PositiveSmallIntegerField(default=1)
    insurance = models.CharField(_("医保"), max_length=10, choices=Patient.Insurance)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.RUNNING)
    total = yuan(_("合计"))
    fund_paid = yuan(_("统筹支付"), default=0)
    account_paid = yuan(_("个人账户支付"), default=0)
    cash_paid = yuan(_("个人自付"))
    person = EncryptedTextField(blank=True, default="")  # psn_no: personal data
    visit = models.CharField(_("就诊编号"), max_length=40, blank=True)  # mdtrt_id
    number = models.CharField(_("结算编号"), max_length=40, blank=True)  # setl_id
    way = models.CharField(_("结算途径"), max_length=10, choices=Way, default=Way.PHONE)  # where the person was checked
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    use_account = models.BooleanField(_("用个人账户"), default=True)  # acct_used_flag
    agreed_at = models.DateTimeField(_("同意时间"), null=True)
    declined_at = models.DateTimeField(_("不用医保"), null=True)  # pays without after all; not settled anew by itself
    started_at = models.DateTimeField()
    settled_at = models.DateTimeField(_("结算时间"), null=True)
    reversed_at = models.DateTimeField(_("撤销时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("医保结算")
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("fund_paid") + F("account_paid") + F("cash_paid")),
                name="settlement_is_borne_in_full",
            ),
            models.CheckConstraint(
                condition=Q(fund_paid__gte=0, account_paid__gte=0, cash_paid__gte=0), name="settlement_not_negative"
            ),
            models.CheckConstraint(condition=~Q(insurance="none"), name="settlement_of_the_insured"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status__in=["running", "presettled", "settled", "reversing"]),
                name="settlement_one_at_a_time",
            ),
            models.UniqueConstraint(fields=["invoice", "attempt"], name="settlement_attempts_numbered"),
            models.UniqueConstraint(
                fields=["organization", "number"], condition=~Q(number=""), name="settlement_one_number"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["settled", "reversed"]) | Q(settled_at__isnull=False) & ~Q(number="")
                | Q(status="reversed", settled_at=None),
                name="settlement_settled_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(status="reversed", reversed_at__isnull=False)
                | (~Q(status="reversed") & Q(reversed_at=None)),
                name="settlement_reversed_when",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["started_at"],
                condition=Q(status__in=["running", "presettled", "reversing"]),
                name="settlement_underway",
            ),
            models.Index(fields=["organization", "settled_at"], name="settlement_of_a_day"),
        ]
        triggers = [
            moves_held(INSURANCESETTLEMENT_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="settled_stays",
                operation=pgtrigger.UpdateOf("total", "fund_paid", "account_paid", "cash_paid", "number"),
                condition=pgtrigger.Q(old__settled_at__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.number or self.pk} {self.get_status_display()}"


class InsuranceStep(models.Model):
    """One call of the insurance, written before it is made, by the interface's transaction code. Every try has the
    same message number, so that it is done once; `answered_at` none: find out."""

    class Step(models.TextChoices):
        PERSON = "1101", _("人员信息获取")
        REGISTER = "2201", _("门诊挂号")
        UNREGISTER = "2202", _("门诊挂号撤销")
        VISIT = "2203", _("门诊就诊信息上传")
        UPLOAD = "2204", _("门诊费用明细信息上传")
        TAKE_BACK = "2205", _("门诊费用明细信息撤销")
        PRESETTLE = "2206", _("门诊预结算")
        SETTLE = "2207", _("门诊结算")
        UNSETTLE = "2208", _("门诊结算撤销")

    REVERSES = {
        Step.UNREGISTER: Step.REGISTER,
        Step.TAKE_BACK: Step.UPLOAD,
        Step.UNSETTLE: Step.SETTLE,
    }

    class Outcome(models.TextChoices):
        ASKED = "asked", _("已发出")
        DONE = "done", _("成功")
        REFUSED = "refused", _("被拒绝")

    settlement = models.ForeignKey(InsuranceSettlement, models.PROTECT, related_name="steps")
    step = models.CharField(_("交易"), max_length=4, choices=Step)
    message = models.CharField(_("报文编号"), max_length=40, unique=True)  # msgid
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, default=Outcome.ASKED)
    refusal = models.CharField(_("错误码"), max_length=40, blank=True)  # infcode, never its text
    numbers = models.JSONField(default=dict)  # references it gave back; no personal data
    tries = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("医保交易")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="asked", answered_at=None) | (~Q(outcome="asked") & Q(answered_at__isnull=False)),
                name="insurancestep_answered_when",
            ),
            models.UniqueConstraint(
                fields=["settlement", "step"], condition=Q(outcome="asked"), name="insurancestep_one_under_way"
            ),
        ]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(outcome="asked"), name="insurancestep_open")]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self):
        return f"{self.step} {self.outcome}"
