"""签约居民 (R1, R6): signed with a family doctor of one institution, with one at a time; who is served first follows.

Locks: the patient. `now` is aware UTC.
"""

from datetime import date, datetime

from django.db import transaction

from hospital import audit, clock, patients
from hospital.models import Organization, Patient, Practitioner, SignedResident, User
from referrals import errors
from referrals.policies import signing as policy


@transaction.atomic
def sign(
    *,
    patient: Patient,
    organization: Organization,
    doctor: Practitioner | None,
    first: date,
    last: date,
    note: str = "",
    by: User,
    now: datetime,
) -> SignedResident:
    """签约, or once more after the present one ends. Both days included. Raises SignedElsewhere, SigningDates,
    SwitchedOff."""
    patients.locked(patient.pk)
    if problem := policy.problem_of_dates(first, last, today=clock.today(now)):
        raise errors.SigningDates(problem=problem)
    rows = SignedResident.objects.filter(patient=patient, effective_from__lte=last, effective_to__gte=first)
    if other := rows.select_related("organization").order_by("effective_from").first():
        raise policy.refusal_of_overlap(other, organization_id=organization.pk)
    row = SignedResident.objects.create(
        patient=patient, organization=organization, doctor=doctor, effective_from=first, effective_to=last, note=note
    )
    _record("resident.signed", row, {"after": _said(row)}, by=by, now=now)
    return row


@transaction.atomic
def end(*, resident: SignedResident, last: date, reason: str, by: User, now: datetime) -> SignedResident:
    """解约 by its last day. One that has not begun ends before it did anything: its only day is the first.

    Raises SigningDates.
    """
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=resident.patient_id)
    row = SignedResident.objects.select_for_update(no_key=True, of=("self",)).get(pk=resident.pk)
    if problem := policy.problem_of_end(row, last=last, reason=reason, today=clock.today(now)):
        raise errors.SigningDates(problem=problem)
    before = _said(row)
    row.effective_to = last
    row.save(update_fields=["effective_to"])
    detail = {"before": before, "after": _said(row), "why": reason.strip()[:200]}
    _record("resident.ended", row, detail, by=by, now=now)
    return row


def _record(action: str, row: SignedResident, detail: dict, *, by: User, now: datetime) -> None:
    audit.record(action=action, actor=by, patient=row.patient, subject=f"resident:{row.pk}", detail=detail, now=now)


def _said(row: SignedResident) -> dict:
    return {
        "organization": row.organization_id,
        "doctor": row.doctor_id,
        "from": row.effective_from.isoformat(),
        "to": row.effective_to.isoformat(),
    }
