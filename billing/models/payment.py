"""支付与退费: what was received by which means, and what was given back to where it came from (M1, M2, M6)."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, User

from .fields import yuan
from .invoice import ChargeItem, Invoice
from .shift import CashierShift
from .states import PAYMENT_MOVES, REFUND_MOVES, PaymentStatus, RefundStatus, moves_held
from .triggers import IN_AN_OPEN_SHIFT, NEVER_MORE_THAN_WAS_PAID


class Means(models.TextChoices):
    """支付方式 (M2)."""

    CASH = "cash", _("现金")
    CHEQUE = "cheque", _("支票")
    BANK = "bank", _("银行卡")
    WECHAT = "wechat", _("微信支付")
    ALIPAY = "alipay", _("支付宝")
    CARD = "card", _("社保卡个人账户")  # taken and given back by the insurance settlement


class Way(models.TextChoices):
    """结算途径 (M1). Smart settlement = all but the window."""

    PHONE = "phone", _("手机")
    CONSULT = "consult", _("诊间")
    KIOSK = "kiosk", _("自助机")
    WINDOW = "window", _("窗口")


BY_HAND = (Means.CASH, Means.CHEQUE, Means.BANK)
"""Taken by a person (or a terminal beside them): the reference is typed, no gateway of ours is asked."""


class Payment(models.Model):
    """支付. `order` is our number at the gateway, written before the gateway is asked. `applied`: how much of it serves
    the invoice; the rest (somebody scanned twice) is refunded by itself. What was received is never changed."""

    Status, MOVES = PaymentStatus, PAYMENT_MOVES

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments", verbose_name=_("账单"))
    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    means = models.CharField(_("支付方式"), max_length=10, choices=Means)
    way = models.CharField(_("结算途径"), max_length=10, choices=Way)
    amount = yuan(_("金额（元）"))
    applied = yuan(_("用于本账单（元）"), null=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.PENDING)
    gateway = models.CharField(_("支付渠道"), max_length=20, blank=True)  # by hand: none
    order = models.CharField(_("商户订单号"), max_length=32, unique=True)
    reference = models.CharField(
        _("渠道流水号"), max_length=64, blank=True
    )  # or of the terminal, or the cheque's number
    request_key = models.CharField(max_length=80, null=True)  # who asks twice with one key gets one payment
    asked = models.JSONField(default=dict)  # what the gateway answered to `create`: QR text, page; no personal data
    shift = models.ForeignKey(CashierShift, models.PROTECT, null=True, related_name="payments", verbose_name=_("班次"))
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    asked_at = models.DateTimeField(_("发起时间"))
    expires_at = models.DateTimeField(_("有效期到"), null=True)
    next_query_at = models.DateTimeField(null=True)  # when the gateway is asked what became of it
    queries = models.PositiveSmallIntegerField(default=0)
    succeeded_at = models.DateTimeField(_("支付时间"), null=True)
    ended_at = models.DateTimeField(null=True)  # failed or closed

    class Meta:
        verbose_name = verbose_name_plural = _("支付")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_of_something"),
            models.CheckConstraint(
                condition=Q(status="succeeded", applied__gte=0, applied__lte=F("amount"), succeeded_at__isnull=False)
                | (~Q(status="succeeded") & Q(applied=None, succeeded_at=None)),
                name="payment_applied_once_received",
            ),
            models.UniqueConstraint(
                fields=["gateway", "reference"],
                condition=~Q(gateway="") & ~Q(reference=""),
                name="payment_one_reference_per_gateway",
            ),
            models.UniqueConstraint(
                fields=["invoice", "request_key"],
                condition=Q(request_key__isnull=False),
                name="payment_one_per_request",
            ),
            models.UniqueConstraint(
                "organization",
                "means",
                "reference",
                TruncDate("asked_at"),
                condition=Q(means__in=["bank", "cheque"], status__in=["pending", "succeeded"]) & ~Q(reference=""),
                name="payment_one_slip_a_day",
            ),  # terminals begin their numbers again, but not within a day
            models.CheckConstraint(
                condition=Q(means__in=["wechat", "alipay", "card"]) ^ Q(gateway=""), name="payment_by_hand_or_gateway"
            ),
            models.CheckConstraint(
                condition=~Q(way="window") | Q(shift__isnull=False), name="payment_at_the_window_in_a_shift"
            ),
            models.CheckConstraint(
                condition=~Q(means__in=["cash", "cheque"]) | Q(shift__isnull=False) | Q(way="kiosk"),
                name="payment_of_cash_in_somebodys_hands",
            ),
            models.CheckConstraint(
                condition=~Q(means__in=["cheque", "bank"], status="succeeded") | ~Q(reference=""),
                name="payment_by_terminal_has_a_reference",
            ),
        ]
        indexes = [
            models.Index(fields=["next_query_at"], condition=Q(status="pending"), name="payment_to_query"),
            models.Index(fields=["gateway", "succeeded_at"], name="payment_of_a_day"),
        ]
        triggers = [
            moves_held(PAYMENT_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="what_it_is_stays",
                fields=["invoice", "organization", "means", "way", "amount", "gateway", "order", "by", "asked_at"],
            ),
            pgtrigger.Protect(
                name="received_stays",
                operation=pgtrigger.UpdateOf("applied", "reference", "succeeded_at"),
                condition=pgtrigger.Q(old__status="succeeded"),
            ),
            IN_AN_OPEN_SHIFT,
        ]

    def __str__(self):
        return f"{self.get_means_display()} {self.amount}"


class Refund(models.Model):
    """退费, to where the money came from. Of a line, or (no line) of what was paid too much. What a gateway refuses
    stays owed to the patient: `means` says how it was paid out in the end."""

    Status, MOVES = RefundStatus, REFUND_MOVES

    class Reason(models.TextChoices):
        SURPLUS = "surplus", _("多付退回")
        CANCELLED = "cancelled", _("取消预约")
        STOPPED = "stopped", _("停诊或停机")
        LAPSED = "lapsed", _("号源已不可用")
        NOT_DONE = "not_done", _("检查未做")
        MOVED = "moved", _("改约差价")
        RESETTLED = "resettled", _("医保重新结算")
        STAFF = "staff", _("窗口退费")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("支付"))
    line = models.ForeignKey(ChargeItem, models.PROTECT, null=True, related_name="refunds", verbose_name=_("项目"))
    amount = yuan(_("金额（元）"))
    reason = models.CharField(_("原因"), max_length=10, choices=Reason)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.ASKED)
    means = models.CharField(_("退回方式"), max_length=10, choices=Means)  # the payment's, unless it was refused
    order = models.CharField(_("商户退款单号"), max_length=32, unique=True)
    reference = models.CharField(_("渠道退款流水号"), max_length=64, blank=True)
    refusal = models.CharField(_("拒绝代码"), max_length=40, blank=True)  # the gateway's code, never its text
    shift = models.ForeignKey(CashierShift, models.PROTECT, null=True, related_name="refunds", verbose_name=_("班次"))
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    asked_at = models.DateTimeField(_("发起时间"))
    next_try_at = models.DateTimeField(null=True)  # when the gateway is asked (again, by the same number)
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(_("退回时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("退费")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_of_something"),
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | (~Q(status="done") & Q(done_at=None)),
                name="refund_done_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(means__in=["cash", "cheque"], status="done") | Q(shift__isnull=False),
                name="refund_of_cash_from_somebodys_hands",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="asked"), name="refund_to_ask"),
            models.Index(fields=["asked_at"], condition=Q(status="refused"), name="refund_refused"),
            models.Index(fields=["means", "done_at"], name="refund_of_a_day"),
        ]
        triggers = [
            moves_held(REFUND_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="what_it_is_stays", fields=["payment", "line", "amount", "reason", "order"]),
            NEVER_MORE_THAN_WAS_PAID,
            IN_AN_OPEN_SHIFT,
        ]

    def __str__(self):
        return f"{self.get_reason_display()} {self.amount}"


class GatewayMessage(models.Model):
    """渠道通知 to a house's account, each once by its id (M8). `body` is kept without personal data (no payer's name,
    number or open id); a forged one keeps its digest only."""

    class Verdict(models.TextChoices):
        WAITING = "waiting", _("待处理")  # kept; the worker died before it was acted on, the job does it
        TAKEN = "taken", _("已入账")
        AGAIN = "again", _("重复通知")
        FORGED = "forged", _("签名不符")
        UNKNOWN = "unknown", _("没有这笔订单")
        AMOUNT = "amount", _("金额不符")
        CURRENCY = "currency", _("币种不符")
        IGNORED = "ignored", _("与本院无关")

    KEPT = (Verdict.UNKNOWN, Verdict.AMOUNT, Verdict.CURRENCY)

    organization = models.ForeignKey(Organization, models.PROTECT, null=True, db_index=False, related_name="+")
    gateway = models.CharField(_("支付渠道"), max_length=20)
    message = models.CharField(_("通知编号"), max_length=64)
    order = models.CharField(_("商户订单号"), max_length=32, blank=True)
    kind = models.CharField(max_length=10, choices=[("payment", _("支付")), ("refund", _("退费"))])
    body = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)  # of what came, before anything was left out
    verdict = models.CharField(_("结果"), max_length=10, choices=Verdict, default=Verdict.WAITING)
    times = models.PositiveIntegerField(_("收到次数"), default=1)
    received_at = models.DateTimeField(_("收到时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("渠道通知")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "gateway", "message"], nulls_distinct=False, name="gatewaymessage_once"
            )
        ]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(verdict="waiting"), name="gatewaymessage_waiting"),
            models.Index(fields=["order"], name="gatewaymessage_order"),
        ]
        triggers = [
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="as_it_came", exclude=["verdict", "times"]),
        ]

    def __str__(self):
        return f"{self.gateway} {self.message}"
