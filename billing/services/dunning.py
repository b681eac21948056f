"""催缴 (M4): who has not paid in time hears it on the days of the house's rule; after the last of them a person of the
office asks. Finds its own work, each step once. Locks: invoices by id, one person and house at a time.
"""

from datetime import datetime
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Max

from billing.models import ChargeItem, Dunning, Invoice, MoneyCase
from billing.policies import dunning as policy
from billing.selectors import rules, sums
from hospital import clock

from . import cases, locks, money_notices

log = structlog.get_logger(__name__)


def dun(*, now: datetime) -> int:
    """How many persons were told. One that fails holds nobody up and is tried again with the next round."""
    told = 0
    for patient, organization in _overdue(now=now):
        try:
            told += _one(patient, organization, now=now)
        except Exception as error:
            log.warning("dunning_failed", patient=patient, error=type(error).__name__)
    return told


def _overdue(*, now: datetime) -> list[tuple[int, int]]:
    rows = Invoice.objects.filter(status=Invoice.Status.OWED, due_at__lte=now)
    return list(rows.values_list("patient", "organization").distinct().order_by("patient", "organization"))


@transaction.atomic
def _one(patient: int, organization: int, *, now: datetime) -> int:
    """One message for all that is overdue at the house. 0: no step is due today."""
    today = clock.today(now)
    days = rules.payment_rule(organization, day=today).dunning_days
    due = [(row, step) for row, step in _steps(patient, organization, days=days, now=now) if step]
    if not due:
        return 0
    written = False
    for row, step in due:
        invoice = locks.invoice(row)
        owed = sums.of(invoice).owed
        if invoice.status != Invoice.Status.OWED or owed <= 0:
            continue  # paid this very moment
        said = {"amount": owed, "sent_at": now}
        written |= Dunning.objects.get_or_create(invoice=invoice, step=step, defaults=said)[1]
        if policy.is_last(step, days=days):
            _keep(invoice, owed, now=now)
    if not written:
        return 0
    money_notices.tell_overdue(patient=patient, organization=organization, now=now)
    return 1


def _steps(patient: int, organization: int, *, days: list[int], now: datetime) -> list[tuple[int, int | None]]:
    rows = Invoice.objects.filter(
        patient=patient, organization=organization, status=Invoice.Status.OWED, due_at__lte=now
    )
    rows = rows.annotate(sent=Max("dunnings__step")).order_by("pk").values_list("pk", "due_at", "sent")
    today = clock.today(now)
    return [
        (pk, policy.step_due(clock.today(due_at), days=days, sent=sent or 0, today=today)) for pk, due_at, sent in rows
    ]


def _keep(invoice: Invoice, owed: Decimal, *, now: datetime) -> None:
    about = {"organization_id": invoice.organization_id, "invoice": invoice, "amount": owed}
    cases.keep(kind=MoneyCase.Kind.DUE, key=key_of(invoice.pk), now=now, **about)


def key_of(invoice: int) -> str:
    return f"invoice:{invoice}:due"


def settled(*, invoice: int, line: int | None, now: datetime) -> None:
    """Nothing of it is owed any more: nobody needs to ask. `line`: what went onto this invoice from another one."""
    rows = [invoice]
    if line:
        rows.append(ChargeItem.objects.values_list("invoice", flat=True).get(pk=line))
    for row in Invoice.objects.filter(pk__in=rows).exclude(status=Invoice.Status.OWED).order_by("pk"):
        cases.settle(key=key_of(row.pk), now=now)
