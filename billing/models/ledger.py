"""总账: one append-only journal of double entries. Only billing.services.ledger writes it; no personal data in it."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, User

from .fields import yuan
from .insurance import InsuranceSettlement
from .invoice import Invoice
from .office import Reconciliation
from .payment import Payment, Refund
from .shift import CashierShift
from .triggers import ENTRY_BALANCES, LINE_BALANCES

_APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class LedgerAccount(models.Model):
    """科目, few (billing.policies.accounts)."""

    class Kind(models.TextChoices):
        ASSET = "asset", _("资产")
        LIABILITY = "liability", _("负债")
        INCOME = "income", _("收入")
        EXPENSE = "expense", _("支出")

    code = models.CharField(_("科目"), max_length=20, primary_key=True)
    kind = models.CharField(_("类别"), max_length=10, choices=Kind)

    class Meta:
        verbose_name = verbose_name_plural = _("科目")

    def __str__(self):
        return self.code


class LedgerEntry(models.Model):
    """分录: one thing that happened to money, once (`key`). `amount`: the sum of either side. `day`: the hospital's."""

    organization = models.ForeignKey(Organization, models.PROTECT, db_index=False, related_name="+")
    key = models.CharField(max_length=60, unique=True)  # "payment:17:succeeded"
    kind = models.CharField(_("事项"), max_length=20)
    day = models.DateField(_("记账日"))
    at = models.DateTimeField(_("时间"))
    amount = yuan(_("金额（元）"))
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="entries")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="entries")
    refund = models.ForeignKey(Refund, models.PROTECT, null=True, related_name="entries")
    settlement = models.ForeignKey(InsuranceSettlement, models.PROTECT, null=True, related_name="entries")
    shift = models.ForeignKey(CashierShift, models.PROTECT, null=True, related_name="entries")
    reconciliation = models.ForeignKey(Reconciliation, models.PROTECT, null=True, related_name="entries")
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("经办"))

    class Meta:
        verbose_name = verbose_name_plural = _("分录")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="ledgerentry_of_something")]
        indexes = [models.Index(fields=["organization", "day", "kind"], name="ledgerentry_day")]
        triggers = [_APPEND_ONLY, ENTRY_BALANCES]

    def __str__(self):
        return self.key


class LedgerLine(models.Model):
    entry = models.ForeignKey(LedgerEntry, models.PROTECT, related_name="lines")
    account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="lines", verbose_name=_("科目"))
    debit = yuan(_("借"), default=0)
    credit = yuan(_("贷"), default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("分录行")
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="ledgerline_on_one_side"
            )
        ]
        triggers = [_APPEND_ONLY, LINE_BALANCES]

    def __str__(self):
        return f"{self.account_id} {self.debit} {self.credit}"
