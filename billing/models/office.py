"""What finance looks at: the gateway's bill beside ours, what is kept for a person to decide, dunning, receipts."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, User

from .fields import yuan
from .invoice import Invoice
from .payment import GatewayMessage, Payment, Refund
from .states import (
    RECEIPT_MOVES,
    RECONCILIATION_MOVES,
    REFUND_MOVES,
    ReceiptStatus,
    ReconciliationStatus,
    RefundStatus,
    moves_held,
)
from .triggers import CLOSED_WITHOUT_DIFFERENCES, OF_AN_OPEN_DAY


class MoneyCase(models.Model):
    """财务待办: what no rule may decide is kept for the office, once (`key`), until somebody has settled it."""

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", _("收到未知订单的款")
        AMOUNT = "amount", _("金额不符")
        CURRENCY = "currency", _("币种不符")
        REFUSED = "refused", _("渠道拒绝退费")
        CASH_BACK = "cash_back", _("现金或支票待退")  # nobody is there to give it to: the patient fetches it
        UNSETTLED = "unsettled", _("医保结算异常")
        STUCK = "stuck", _("长时间没有结果")
        DUE = "due", _("逾期未缴")

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+", verbose_name=_("机构"))
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    key = models.CharField(max_length=80, unique=True)
    amount = yuan(_("金额（元）"), null=True)
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="cases")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="cases")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="cases")
    message = models.ForeignKey(GatewayMessage, models.PROTECT, null=True, related_name="cases")
    opened_at = models.DateTimeField(_("发现时间"))
    settled_at = models.DateTimeField(_("处理时间"), null=True)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("处理人"))
    note = models.CharField(_("处理说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("财务待办")
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at=None) | Q(settled_by=None) | ~Q(note=""), name="moneycase_settled_says_how"
            )
        ]
        indexes = [
            models.Index(fields=["organization", "opened_at"], condition=Q(settled_at=None), name="moneycase_open")
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self):
        return f"{self.get_kind_display()} {self.key}"


class Dunning(models.Model):
    """催缴: one message about an unpaid invoice on credit; each step once."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="dunnings")
    step = models.PositiveSmallIntegerField(_("第几次"))
    amount = yuan(_("欠费（元）"))
    sent_at = models.DateTimeField(_("发出时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("催缴")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "step"], name="dunning_each_step_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="dunning_of_something"),
        ]


class Reconciliation(models.Model):
    """对账: a gateway's day. Closed when nothing is left to explain."""

    Status, MOVES = ReconciliationStatus, RECONCILIATION_MOVES

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    gateway = models.CharField(_("支付渠道"), max_length=20)
    day = models.DateField(_("账单日"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.FETCHING)
    theirs = models.PositiveIntegerField(_("渠道笔数"), default=0)
    ours = models.PositiveIntegerField(_("本院笔数"), default=0)
    received = models.DecimalField(_("收款（元）"), max_digits=14, decimal_places=2, default=0)  # as the gateway says
    given_back = models.DecimalField(_("退款（元）"), max_digits=14, decimal_places=2, default=0)
    fees = models.DecimalField(_("手续费（元）"), max_digits=14, decimal_places=2, default=0)
    fetched_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(_("平账时间"), null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("经办"))

    class Meta:
        verbose_name = verbose_name_plural = _("对账")
        constraints = [
            models.UniqueConstraint(fields=["organization", "gateway", "day"], name="reconciliation_once_a_day"),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | (~Q(status="closed") & Q(closed_at=None)),
                name="reconciliation_closed_when",
            ),
        ]
        triggers = [
            moves_held(RECONCILIATION_MOVES),
            CLOSED_WITHOUT_DIFFERENCES,
            pgtrigger.Protect(
                name="closed_stays", operation=pgtrigger.Update, condition=pgtrigger.Q(old__status="closed")
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self):
        return f"{self.gateway} {self.day}"


class BillRow(models.Model):
    """One row of a gateway's bill, as it came; no personal data."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("支付")
        REFUND = "refund", _("退费")

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, db_index=False, related_name="rows")
    kind = models.CharField(max_length=10, choices=Kind)
    order = models.CharField(_("商户订单号"), max_length=32)
    reference = models.CharField(_("渠道流水号"), max_length=64)
    amount = yuan(_("金额（元）"))
    fee = yuan(_("手续费（元）"), default=0)
    at = models.DateTimeField(_("时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("渠道账单")
        constraints = [
            models.UniqueConstraint(fields=["reconciliation", "kind", "order"], name="billrow_once"),
        ]


class Difference(models.Model):
    """差异 of a day, with the cure that is proposed."""

    class Kind(models.TextChoices):
        OURS_ONLY = "ours_only", _("本院有，渠道没有")
        THEIRS_ONLY = "theirs_only", _("渠道有，本院没有")
        AMOUNT = "amount", _("金额不一致")

    class Cure(models.TextChoices):
        TAKE = "take", _("补记入账")  # theirs only, the order is ours
        REFUND = "refund", _("原路退回")  # theirs only, nothing of ours
        NEXT_DAY = "next_day", _("次日账单再核")  # at midnight: on the other side's next day
        BY_HAND = "by_hand", _("人工核实")

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, related_name="differences")
    kind = models.CharField(_("类别"), max_length=12, choices=Kind)
    row = models.ForeignKey(BillRow, models.PROTECT, null=True, related_name="+")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="+")
    ours = yuan(_("本院（元）"), null=True)
    theirs = yuan(_("渠道（元）"), null=True)
    cure = models.CharField(_("建议"), max_length=10, choices=Cure)
    settled_at = models.DateTimeField(_("处理时间"), null=True)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("处理人"))
    note = models.CharField(_("处理说明"), max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("差异")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="ours_only", row=None, theirs=None, ours__isnull=False)
                | Q(kind="theirs_only", row__isnull=False, theirs__isnull=False, ours=None)
                | Q(kind="amount", row__isnull=False, theirs__isnull=False, ours__isnull=False) & ~Q(ours=F("theirs")),
                name="difference_is_one",
            ),
        ]
        triggers = [OF_AN_OPEN_DAY]


class Receipt(models.Model):
    """票据: a receipt or e-invoice of an invoice (M9). Its number comes from a port; once it is there it counts. What
    was issued is voided and issued anew, never changed."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("收费收据")
        EINVOICE = "einvoice", _("医疗电子票据")

    Status, MOVES = ReceiptStatus, RECEIPT_MOVES

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="receipts", verbose_name=_("账单"))
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.ASKED)
    request = models.CharField(max_length=40, unique=True)  # ours, sent with every try
    code = models.CharField(_("票据代码"), max_length=20, blank=True)
    number = models.CharField(_("票据号码"), max_length=20, blank=True)
    check_code = models.CharField(_("校验码"), max_length=20, blank=True)
    red_number = models.CharField(_("红票号码"), max_length=20, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    total = yuan(_("合计"))
    fund_paid = yuan(_("统筹支付"), default=0)
    account_paid = yuan(_("个人账户支付"), default=0)
    cash_paid = yuan(_("个人自付"))
    lines = models.JSONField(default=list)  # [{name, price, quantity, amount}] as printed
    why = models.CharField(_("作废原因"), max_length=100, blank=True)
    reissue = models.BooleanField(_("作废后重新开具"), default=False)  # asked for as soon as this one is void
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    asked_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(_("开具时间"), null=True)
    voided_at = models.DateTimeField(_("作废时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("票据")
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("fund_paid") + F("account_paid") + F("cash_paid")), name="receipt_is_borne_in_full"
            ),
            models.UniqueConstraint(
                fields=["organization", "kind", "code", "number"], condition=~Q(number=""), name="receipt_one_number"
            ),
            models.UniqueConstraint(
                fields=["invoice", "kind"],
                condition=Q(status__in=["asked", "issued", "voiding"]),
                name="receipt_one_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["asked", "refused"]) | Q(issued_at__isnull=False) & ~Q(number=""),
                name="receipt_issued_has_a_number",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["voiding", "void"]) | ~Q(why=""), name="receipt_void_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status__in=["asked", "voiding"]), name="receipt_under_way")
        ]
        triggers = [
            moves_held(RECEIPT_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="as_it_was_issued",
                fields=["invoice", "kind", "total", "fund_paid", "account_paid", "cash_paid", "lines", "replaces"],
            ),
        ]

    def __str__(self):
        return self.number or self.request


class UnownedReturn(models.Model):
    """退回无主款: money of an order that nobody knows, or of another amount, sent back whole to its payer. Written
    before the gateway is asked; `number` is ours and the same on every try."""

    Status, MOVES = RefundStatus, REFUND_MOVES

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    case = models.OneToOneField(MoneyCase, models.PROTECT, related_name="sent_back")
    difference = models.OneToOneField(Difference, models.PROTECT, null=True, related_name="sent_back")
    gateway = models.CharField(_("支付渠道"), max_length=20)
    order = models.CharField(_("商户订单号"), max_length=32)  # as the gateway knows it
    amount = yuan(_("金额（元）"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.ASKED)
    number = models.CharField(_("商户退款单号"), max_length=32, unique=True)
    reference = models.CharField(_("渠道退款流水号"), max_length=64, blank=True)
    refusal = models.CharField(_("拒绝代码"), max_length=40, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    asked_at = models.DateTimeField(_("发起时间"))
    next_try_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(_("退回时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("退回无主款")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="unownedreturn_of_something"),
            models.UniqueConstraint(fields=["gateway", "order"], name="unownedreturn_once"),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | (~Q(status="done") & Q(done_at=None)),
                name="unownedreturn_done_when",
            ),
        ]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(status="asked"), name="unownedreturn_to_ask")]
        triggers = [
            moves_held(REFUND_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="what_it_is_stays", fields=["organization", "case", "gateway", "order", "amount", "number"]
            ),
        ]

    def __str__(self):
        return self.number
