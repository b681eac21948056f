"""The person is insured otherwise than their record says: found out when they pay. An invoice keeps the kind that it
was opened with, so one on which nothing has happened yet is opened anew. Locks: patient, invoice."""

from datetime import datetime

from django.db import transaction

from billing.errors import InsuranceUnderWay, InvoiceOver
from billing.models import ChargeItem, InsuranceSettlement, Invoice, Payment
from hospital import audit
from hospital.models import Patient, User

from . import locks, refunding, standing, trail

COPIED = ("kind", "appointment", "exam", "code", "name", "price", "quantity", "amount", "added_at")
_PAYING = (Payment.Status.PENDING, Payment.Status.SUCCEEDED)
_OVER = (InsuranceSettlement.Status.FAILED, InsuranceSettlement.Status.REVERSED)


@transaction.atomic
def say(*, invoice: Invoice, kind: str, by: User | None, now: datetime) -> Invoice:
    """The same lines, to be settled by this kind of insurance; the record says so from now on. Whether it is true the
    insurance says (person check). Raises InvoiceOver, InsuranceUnderWay."""
    patient = Patient.objects.select_for_update(no_key=True).get(pk=invoice.patient_id)
    held = locks.invoice(invoice.pk)
    if held.status != Invoice.Status.OPEN:
        raise InvoiceOver()
    if held.insurance == kind:
        return held
    underway = held.settlements.exclude(status__in=_OVER).exists()
    if underway or held.payments.filter(status__in=_PAYING).exists():
        raise InsuranceUnderWay()
    _write_down(patient, kind, by=by, now=now)
    lines = standing.live_with_bookings(held)
    for line in lines:
        refunding.take_off(held, line, reason="resettled", by=by, now=now)
    standing.refresh(held, [], now=now)
    return _anew(held, lines, kind, by=by, now=now)


def _write_down(patient: Patient, kind: str, *, by: User | None, now: datetime) -> None:
    before, patient.insurance = patient.insurance, kind
    if before == kind:
        return
    patient.save(update_fields=["insurance"])
    detail = {"before": before, "after": kind}
    subject = f"patient:{patient.pk}"
    audit.record(action="insurance.kind_said", actor=by, patient=patient, subject=subject, detail=detail, now=now)


def _anew(old: Invoice, lines: list[ChargeItem], kind: str, *, by: User | None, now: datetime) -> Invoice:
    new = Invoice.objects.create(
        organization_id=old.organization_id,
        patient_id=old.patient_id,
        basket=old.basket,
        insurance=kind,
        by=by,
        opened_at=now,
    )
    copies = [{name: getattr(line, name) for name in COPIED} for line in lines]
    lines = ChargeItem.objects.bulk_create(ChargeItem(invoice=new, **copy) for copy in copies)
    standing.refresh(new, lines, now=now)
    trail.publish("invoice.opened", new, by=by, now=now)
    return new
