"""Numbers that a hospital changes: dated, audited rows. Without a row nothing is paid ahead: a free clinic."""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.rules import Channel, Dated
from hospital.models import Patient, User
from hospital.models.history import keeps_history
from hospital.models.places import DayRange

from .fields import yuan


def _dunning_days() -> list[int]:
    return [0, 3, 7]


@keeps_history
class PaymentRule(Dated):
    """结算规则. A channel in `prepaid` confirms nothing that costs something before it is paid (or on credit);
    what comes by other channels is paid at the visit."""

    prepaid = ArrayField(
        models.CharField(max_length=10, choices=Channel), default=list, blank=True, verbose_name=_("先付费的渠道")
    )
    order_minutes = models.PositiveSmallIntegerField(_("付款码有效分钟"), default=15)
    paying_minutes = models.PositiveSmallIntegerField(_("开始付款后至少再保留分钟"), default=5)  # 0: no longer
    link_minutes = models.PositiveSmallIntegerField(_("发到手机或到窗口付费时保留分钟"), default=30)
    away_minutes = models.PositiveSmallIntegerField(
        _("支付渠道无响应时最长保留分钟"), default=90
    )  # from the line's start
    late_refund = models.BooleanField(_("过了退号时间仍退费"), default=True)
    noshow_refund = models.BooleanField(_("爽约后可在窗口退费"), default=True)
    credit_limit = yuan(_("先诊疗后付费额度（元）"), default=Decimal(1000))
    credit_days = models.PositiveSmallIntegerField(_("先诊疗后付费天数"), default=10)
    dunning_days = ArrayField(
        models.PositiveSmallIntegerField(), default=_dunning_days, blank=True, verbose_name=_("到期后第几天催缴")
    )

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("结算规则")
        constraints = [
            *Dated.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "effective_from"], name="paymentrule_one_a_day"),
            models.CheckConstraint(
                condition=Q(credit_limit__gte=0, credit_days__gte=1, order_minutes__gte=1),
                name="paymentrule_sensible",
            ),
        ]

    def __str__(self):
        return f"{self.organization} {self.effective_from}"


@keeps_history
class CreditAgreement(Dated):
    """先诊疗后付费 (M4): what a person agreed to with a hospital, and up to how much. The days are those to pay in."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="credit", verbose_name=_("就诊人"))
    limit = yuan(_("额度（元）"))
    days = models.PositiveSmallIntegerField(_("付清天数"))
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("经办"))
    signed_at = models.DateTimeField(_("签署时间"))

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("先诊疗后付费协议")
        constraints = [
            *Dated.Meta.constraints,
            models.CheckConstraint(condition=Q(limit__gt=0, days__gte=1), name="creditagreement_sensible"),
            ExclusionConstraint(
                name="creditagreement_one_at_a_time",
                expressions=[
                    (F("patient"), RangeOperators.EQUAL),
                    (F("organization"), RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.effective_from} {self.limit}"
