"""One settlement of all that a person owes a house (M4): the lines of several owed invoices on one, which is then paid
as any other: on the phone, in the consult room, at the kiosk or the window. Locks: patient, invoices by id.
"""

from datetime import datetime

from django.db import transaction

from billing.models import ChargeItem, InsuranceSettlement, Invoice, Payment
from billing.policies import gathering as policy
from hospital.models import Organization, Patient, User

from . import locks, refunding, standing, trail

UNDER_WAY = (InsuranceSettlement.Status.RUNNING, InsuranceSettlement.Status.PRESETTLED)


@transaction.atomic
def gather(*, patient: Patient, organization: Organization, by: User | None, now: datetime) -> Invoice | None:
    """The one invoice to pay; None where nothing is owed. Again is the same one. Those that went onto it are void, and
    the journal is as it was: what is owed moved with its lines. What can't be brought together (the insurance settled
    it, or a part is paid) stays, and is paid by itself."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    owed = Invoice.objects.filter(patient=patient, organization=organization, status=Invoice.Status.OWED)
    rows = {pk: locks.invoice(pk) for pk in owed.order_by("pk").values_list("pk", flat=True)}
    rows = {pk: row for pk, row in rows.items() if row.status == Invoice.Status.OWED}
    if not rows:
        return None
    plan = policy.gathered([_as_owed(row) for row in rows.values()])
    if plan is None:
        return min(rows.values(), key=lambda row: (row.due_at, row.pk))
    taker, others = rows[plan[0]], [rows[pk] for pk in plan[1]]
    for other in others:
        _bring(other, taker, by=by, now=now)
    standing.follow(taker, by=by, now=now)
    numbers = ",".join(str(other.pk) for other in others)
    trail.record("invoice.gathered", taker, by=by, now=now, invoices=numbers, amount=taker.total)
    return taker


def _as_owed(invoice: Invoice) -> policy.Owed:
    lines = standing.live(invoice)
    on_credit = all(line.status == ChargeItem.Status.OPEN and line.earned_at for line in lines)
    paid = invoice.payments.filter(status=Payment.Status.SUCCEEDED).exists()
    insured = standing.settlement(invoice) or invoice.settlements.filter(status__in=UNDER_WAY).exists()
    return policy.Owed(
        invoice=invoice.pk,
        insurance=invoice.insurance,
        due_at=invoice.due_at,
        clean=on_credit and not paid,
        insured=bool(insured),
    )


def _bring(other: Invoice, taker: Invoice, *, by: User | None, now: datetime) -> None:
    """Its codes are closed by the next round: who scans one of them meanwhile gets the money back."""
    other.payments.filter(status=Payment.Status.PENDING).exclude(gateway="").update(expires_at=now, next_query_at=now)
    for line in standing.live_with_bookings(other):
        refunding.take_off(other, line, reason="moved", by=by, now=now)
        copy = _copy(line, taker, now=now)
        standing.earn(taker, copy, on_credit=True, by=by, now=now)
        trail.publish("line.exchanged", taker, by=by, now=now, line=copy.pk, instead_of=line.pk)
    standing.follow(other, by=by, now=now)


def _copy(line: ChargeItem, taker: Invoice, *, now: datetime) -> ChargeItem:
    return ChargeItem.objects.create(
        invoice=taker,
        kind=line.kind,
        appointment=line.appointment,
        exam=line.exam,
        code=line.code,
        name=line.name,
        price=line.price,
        quantity=line.quantity,
        amount=line.amount,
        added_at=now,
    )
