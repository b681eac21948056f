"""转诊单的起草、发出、补充、撤回: what the sending side does (R1).

Locks: patient, referral. `now` is aware UTC.
"""

from datetime import datetime

from django.db import IntegrityError, transaction

from hospital import account_rules, clock, family_policies, patients
from hospital.models import Department, Organization, Patient, Practitioner, User
from referrals import errors
from referrals.models import Referral
from referrals.policies import deadlines
from referrals.policies import writing as policy
from referrals.policies.moves import Act, Side
from referrals.selectors import rules
from referrals.selectors.workdays import workday_at

from . import green, trail

Status = Referral.Status
WRITTEN = (
    "urgency", "department", "role", "team", "office_books", "reason", "diagnosis_code", "diagnosis", "history",
    "medication", "allergies", "results", "consent",
)  # fmt: skip
"""What the writer says."""


@transaction.atomic
def draft(
    *,
    patient: Patient,
    origin: Organization,
    receiver: Organization,
    direction: str,
    by: User,
    doctor: Practitioner | None = None,
    encounter=None,
    answers_to: Referral | None = None,
    now: datetime,
    **written,
) -> Referral:
    """起草: nobody but the sender's institution sees it. `written`: any of WRITTEN. Raises SentBackAlready,
    SwitchedOff."""
    _lock_patient(patient.pk)
    row = Referral(
        direction=direction, patient=patient, origin=origin, receiver=receiver, doctor=doctor, by=by,
        encounter=encounter, answers_to=answers_to, created_at=now,
    )  # fmt: skip
    _write(row, written, now=now)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "referral_sent_back_once" not in str(error):
            raise
        before = Referral.objects.exclude(status=Status.WITHDRAWN).get(answers_to=answers_to)
        raise errors.SentBackAlready(number=before.number) from None
    trail.step(row, trail.Kind.CREATED, by=by, organization_id=origin.pk, now=now)
    return row


@transaction.atomic
def change(*, referral: Referral, now: datetime, receiver: Organization | None = None, **written) -> Referral:
    """Keep what was typed in a draft. What was sent is never changed: raises NotTheirTurn, ReferralOver."""
    row = trail.locked(referral.pk)
    trail.may(row, Act.SEND, Side.ORIGIN)
    if receiver is not None:
        row.receiver = receiver
    _write(row, written, now=now)
    row.save()
    return row


@transaction.atomic
def send(*, referral: Referral, by: User, consenter: str = "", now: datetime) -> Referral:
    """发出: from here the receiver's clock runs. Sending twice is sending once. `consenter`: who consented for the
    patient, name and relation; it stands in the trail.

    Raises ReferralIncomplete and ChildCannotConsent (with the fields), AgreementEnded, ReceiverClosed,
    AlreadyReferred, ReferredElsewhere, ReferralOver.
    Publishes referral.sent.
    """
    _lock_patient(referral.patient_id)
    row = trail.locked(referral.pk)
    if row.sent_at is not None and row.status != Status.WITHDRAWN:
        return row
    trail.may(row, Act.SEND, Side.ORIGIN)
    if refused := policy.refusal_to_send(row, agreed=_agreed(row, now=now), guarded_until=guarded_until(row, now=now)):
        raise refused
    if other := open_to(row.patient_id, row.receiver_id, row.department, but=row.pk):
        if other.origin_id != row.origin_id:
            raise errors.ReferredElsewhere(department=row.department.name)
        raise errors.AlreadyReferred(department=row.department.name, number=other.number)
    named = consenter.strip() if row.consent == Referral.Consent.GUARDIAN else ""
    trail.step(
        row, trail.Kind.SENT, by=by, organization_id=row.origin_id, now=now, text=named,
        status=Status.SENT, sent_at=now, due_at=due(row, now=now), escalated_at=None,
    )  # fmt: skip
    if row.urgency == Referral.Urgency.GREEN and row.direction == Referral.Direction.UP:
        green.ring(row, now=now)
    return row


@transaction.atomic
def answer(*, referral: Referral, text: str, by: User, now: datetime) -> Referral:
    """补充: what the receiver asked for; its clock runs anew. Raises NeedsReason, NotTheirTurn, ReferralOver."""
    row = trail.locked(referral.pk)
    trail.may(row, Act.ANSWER, Side.ORIGIN)
    if not text.strip():
        raise errors.NeedsReason()
    trail.step(
        row, trail.Kind.ANSWERED, by=by, organization_id=row.origin_id, text=text, now=now,
        status=Status.ANSWERED, due_at=due(row, now=now), escalated_at=None,
    )  # fmt: skip
    return row


@transaction.atomic
def withdraw(*, referral: Referral, reason: str, by: User, now: datetime) -> Referral:
    """撤回 before the patient came. The number stays the patient's own: whoever withdraws is asked what becomes of it.

    Raises NeedsReason (of one that was sent), NotTheirTurn, ReferralOver.
    """
    row = trail.locked(referral.pk)
    trail.may(row, Act.WITHDRAW, Side.ORIGIN)
    if row.sent_at is not None and not reason.strip():
        raise errors.NeedsReason()
    trail.step(
        row, trail.Kind.WITHDRAWN, by=by, organization_id=row.origin_id, text=reason, now=now,
        status=Status.WITHDRAWN, detail={"appointment": row.appointment_id},
    )  # fmt: skip
    return row


def due(referral: Referral, *, now: datetime) -> datetime:
    """When the receiver must have answered, from `now` on."""
    rule = rules.referral_rule(referral.receiver_id, day=clock.today(now))
    is_workday = workday_at(referral.receiver_id, or_of=referral.origin_id, since=clock.today(now))
    return deadlines.due_at(urgency=referral.urgency, since=now, rule=rule, is_workday=is_workday)


def guarded_until(referral: Referral, *, now: datetime) -> int:
    """The age until which a guardian decides, where this patient is younger; else 0."""
    rule = account_rules.in_force(now=now)
    child = family_policies.is_child(referral.patient.birth_date, rule=rule, day=clock.today(now))
    return rule.guarded_until if child else 0


def open_to(patient_id: int, receiver_id: int, department: Department | None, *, but: int) -> Referral | None:
    """The patient's other referral up that is on its way to this department."""
    if department is None:
        return None
    rows = Referral.objects.filter(patient=patient_id, receiver=receiver_id, department=department, direction="up")
    rows = rows.exclude(status__in=[Status.DRAFT, Status.SEEN]).filter(ended_at=None)
    return rows.exclude(pk=but).first()


def _agreed(referral: Referral, *, now: datetime) -> bool:
    pair = {"hospital": referral.receiver, "member": referral.origin}
    if referral.direction == Referral.Direction.DOWN:
        pair = {"hospital": referral.origin, "member": referral.receiver}
    return rules.agreed(**pair, day=clock.today(now))


def _write(row: Referral, written: dict, *, now: datetime) -> None:
    unknown = written.keys() - set(WRITTEN)
    if unknown:
        raise TypeError(f"not the writer's to say: {unknown}")
    if "consent" in written and written["consent"] != row.consent:
        row.consented_at = now if written["consent"] else None
    for name, value in written.items():
        setattr(row, name, value)


def _lock_patient(pk: int) -> None:
    patients.locked(pk)
