"""账单: what one person owes for one basket (or one booking), line by line, and who bears it (M4, M5)."""

from uuid import uuid4

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment
from exams.models import ExamBooking
from hospital.models import Organization, Patient, User

from .fields import yuan
from .states import CHARGEITEM_MOVES, INVOICE_MOVES, ChargeItemStatus, InvoiceStatus, moves_held
from .triggers import LINES_ADD_UP, LINES_ADD_UP_OF_ITS_INVOICE


class Invoice(models.Model):
    """账单. `total` is what its live lines cost; fund, personal account and cash bear it to the fen.

    Prices are those of the bookings. A refunded line leaves the total; what was ever received and given back stands in
    payments, refunds and the journal. `token` is the address of its page of paying (the QR code of a consult room).
    """

    Status, MOVES = InvoiceStatus, INVOICE_MOVES
    DUE = (Status.OPEN, Status.OWED)
    OVER = (Status.REFUNDED, Status.VOID)

    token = models.UUIDField(default=uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="invoices", verbose_name=_("就诊人"))
    basket = models.UUIDField(_("预约单"), null=True)
    insurance = models.CharField(_("医保"), max_length=10, choices=Patient.Insurance)  # as it was when opened
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    total = yuan(_("合计"), default=0)
    fund_paid = yuan(_("统筹支付"), default=0)
    account_paid = yuan(_("个人账户支付"), default=0)
    cash_paid = yuan(_("个人自付"), default=0)  # what the patient pays by whatever means
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))
    opened_at = models.DateTimeField(_("开单时间"))
    paid_at = models.DateTimeField(_("付清时间"), null=True)
    due_at = models.DateTimeField(_("应付清"), null=True)  # of one on credit
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("账单")
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("fund_paid") + F("account_paid") + F("cash_paid")), name="invoice_is_borne_in_full"
            ),
            models.CheckConstraint(
                condition=Q(fund_paid__gte=0, account_paid__gte=0, cash_paid__gte=0), name="invoice_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(insurance="none") | Q(fund_paid=0, account_paid=0), name="invoice_uninsured_pays_all"
            ),
            models.UniqueConstraint(
                fields=["basket", "organization", "patient"],
                condition=Q(status="open", basket__isnull=False),
                name="invoice_one_open_per_basket",
            ),
            models.CheckConstraint(condition=~Q(status="paid") | Q(paid_at__isnull=False), name="invoice_paid_when"),
            models.CheckConstraint(condition=~Q(status="owed") | Q(due_at__isnull=False), name="invoice_owed_till"),
            models.CheckConstraint(
                condition=Q(status__in=["refunded", "void"], ended_at__isnull=False, total=0)
                | (~Q(status__in=["refunded", "void"]) & Q(ended_at__isnull=True)),
                name="invoice_over_holds_nothing",
            ),
        ]
        indexes = [
            models.Index(fields=["basket"], condition=Q(basket__isnull=False), name="invoice_basket"),
            models.Index(fields=["organization", "opened_at"], name="invoice_opened"),
            models.Index(fields=["due_at"], condition=Q(status="owed"), name="invoice_owed"),
            models.Index(fields=["opened_at"], condition=Q(status="open"), name="invoice_open"),
        ]
        triggers = [
            moves_held(INVOICE_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="whose_it_is", fields=["organization", "basket", "insurance", "token"]),
            LINES_ADD_UP,
        ]

    def __str__(self):
        return f"{self.pk} {self.get_status_display()}"


class ChargeItem(models.Model):
    """收费项目: one line, its price copied. A booking is charged on one live line; its clock (hold_until) is the
    booking's own and read from there."""

    class Kind(models.TextChoices):
        APPOINTMENT = "appointment", _("挂号")
        EXAM = "exam", _("检查")
        SERVICE = "service", _("其他服务")

    Status, MOVES = ChargeItemStatus, CHARGEITEM_MOVES
    GONE = (Status.REFUNDED, Status.WITHDRAWN)

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines", verbose_name=_("账单"))
    kind = models.CharField(_("类别"), max_length=12, choices=Kind)
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="charges")
    exam = models.ForeignKey(ExamBooking, models.PROTECT, null=True, related_name="charges")
    code = models.CharField(_("价目代码"), max_length=20)
    name = models.CharField(_("名称"), max_length=120)
    price = yuan(_("单价（元）"))
    quantity = models.PositiveSmallIntegerField(_("数量"), default=1)
    amount = yuan(_("金额（元）"))
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    earned_at = models.DateTimeField(_("计入收入"), null=True)  # in the journal as income: confirmed, or on credit
    why = models.CharField(_("退费原因"), max_length=20, blank=True)  # a code of policies.returning
    added_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("收费项目")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="appointment", appointment__isnull=False, exam=None)
                | Q(kind="exam", exam__isnull=False, appointment=None)
                | Q(kind="service", appointment=None, exam=None),
                name="chargeitem_of_one_thing",
            ),
            models.CheckConstraint(condition=Q(amount=F("price") * F("quantity")), name="chargeitem_multiplied"),
            models.CheckConstraint(condition=Q(price__gte=0, quantity__gte=1), name="chargeitem_not_negative"),
            models.UniqueConstraint(
                fields=["appointment"],
                condition=~Q(status__in=["refunded", "withdrawn"]),
                name="chargeitem_one_live_per_appointment",
            ),
            models.UniqueConstraint(
                fields=["exam"],
                condition=~Q(status__in=["refunded", "withdrawn"]),
                name="chargeitem_one_live_per_exam",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["refunded", "withdrawn"], ended_at__isnull=False)
                | (~Q(status__in=["refunded", "withdrawn"]) & Q(ended_at__isnull=True)),
                name="chargeitem_gone_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "withdrawn"], paid_at__isnull=True)
                | (~Q(status__in=["open", "withdrawn"]) & Q(paid_at__isnull=False)),
                name="chargeitem_paid_when",
            ),
        ]
        indexes = [
            models.Index(fields=["paid_at"], condition=Q(status="paid"), name="chargeitem_to_confirm"),
            models.Index(fields=["paid_at"], condition=Q(status="returning"), name="chargeitem_returning"),
        ]
        triggers = [
            moves_held(CHARGEITEM_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="price_stays", fields=["invoice", "kind", "code", "price", "quantity", "amount"]),
            LINES_ADD_UP_OF_ITS_INVOICE,
        ]

    def __str__(self):
        return f"{self.name} {self.amount}"

    @property
    def booking(self) -> Appointment | ExamBooking | None:
        return self.appointment or self.exam

    @property
    def hold_until(self):
        """The booking's own clock; None once it is confirmed, and of a service."""
        if self.appointment_id:
            return self.appointment.slot.hold_until if self.appointment.status == "pending" else None
        return self.exam.hold_until if self.exam_id else None
