"""收费班次: one cashier's drawer from opening to counting (M8)."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, User

from .fields import yuan
from .states import CASHIERSHIFT_MOVES, CashierShiftStatus, moves_held


class CashierShift(models.Model):
    """收费班次. Counting stops the taking: `expected` is what the journal says, `counted` what is in the drawer."""

    Status, MOVES = CashierShiftStatus, CASHIERSHIFT_MOVES

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    cashier = models.ForeignKey(User, models.PROTECT, related_name="shifts", verbose_name=_("收费员"))
    window = models.CharField(_("窗口"), max_length=20, blank=True)
    change = yuan(_("备用金"), default=0)  # what lay in the drawer when it was opened
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.OPEN)
    expected = yuan(_("应有现金"), null=True)  # change + taken − given back
    counted = yuan(_("实点现金"), null=True)
    difference = yuan(_("长短款"), null=True)
    cheques = models.PositiveSmallIntegerField(_("支票张数"), null=True)
    note = models.CharField(_("说明"), max_length=200, blank=True)
    opened_at = models.DateTimeField(_("开班时间"))
    counted_at = models.DateTimeField(_("点款时间"), null=True)
    counted_by = models.ForeignKey(
        User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("代点人")
    )  # of a drawer that its cashier left open; else the cashier
    closed_at = models.DateTimeField(_("交班时间"), null=True)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("复核人"))

    class Meta:
        verbose_name = verbose_name_plural = _("收费班次")
        constraints = [
            models.UniqueConstraint(
                fields=["cashier"], condition=~Q(status="closed"), name="cashiershift_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(status="open", expected=None, counted=None, difference=None, counted_at=None)
                | (
                    ~Q(status="open")
                    & Q(counted__gte=0, counted_at__isnull=False, difference=F("counted") - F("expected"))
                ),
                name="cashiershift_counted",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | (~Q(status="closed") & Q(closed_at=None)),
                name="cashiershift_closed_when",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(difference=0) | ~Q(note=""), name="cashiershift_difference_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(counted_by=F("checked_by")), name="cashiershift_two_pairs_of_eyes"
            ),  # null on either side is no refusal: the cashier counted, or closes
            models.CheckConstraint(condition=Q(change__gte=0), name="cashiershift_change_not_negative"),
        ]
        triggers = [
            moves_held(CASHIERSHIFT_MOVES),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="closed_stays", operation=pgtrigger.Update, condition=pgtrigger.Q(old__status="closed")
            ),
        ]

    def __str__(self):
        return f"{self.window} {self.get_status_display()}"
