"""下转 (R3): a patient goes down with a plan, and the day of the next visit is booked in the same step.

Locks: schedule and number (the booking), patient, referral. `now` is aware UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from appointments.models import Appointment, Encounter, Schedule
from appointments.models.rules import Channel
from appointments.services import booking, walkin
from hospital import clock
from hospital.models import Organization, Patient, Practitioner, User
from referrals import errors
from referrals.models import CarePlan, FollowUp, Referral
from referrals.policies import follow_up as policy
from referrals.selectors import down as selectors
from referrals.selectors import rules

from . import trail, writing

Status = Referral.Status


@dataclass(frozen=True)
class Plan:
    """What the lower institution does, and when whom to see."""

    medication: str
    warning_signs: str
    follow_up_on: date
    follow_up_at: Organization
    summary: str = ""
    rehabilitation: str = ""
    discharged_on: date | None = None


@dataclass(frozen=True)
class Number:
    """A slice of a sitting that is to be booked for the next visit."""

    schedule: Schedule
    start: datetime


@transaction.atomic
def send_down(
    *,
    plan: Plan,
    receiver: Organization,
    written: dict,
    by: User,
    consenter: str = "",
    now: datetime,
    referral: Referral | None = None,
    encounter: Encounter | None = None,
    patient: Patient | None = None,
    origin: Organization | None = None,
    doctor: Practitioner | None = None,
    number: Number | None = None,
    request_key: str | None = None,
    deciding: datetime | None = None,
) -> Referral:
    """Back to who sent the patient (`referral`), or down after a consultation (`encounter`) or a stay (`patient` and
    `origin`). `written`: reason, diagnosis, diagnosis_code, history, consent and more of writing.WRITTEN. `deciding`:
    what booking gets as its `now`; None lets the database's clock decide.

    All of it or nothing: the plan, the referral down, the booked number, the end of the referral up, and the first
    follow-up on the receiver's list. Raises SentBackAlready, SentDownAlready, NotHereToGoDown, PlanDayGone,
    NumberNotOfPlan, ReferralIncomplete, ChildCannotConsent, AgreementEnded, and what booking refuses.
    """
    origin, patient = _whence(referral, encounter, origin=origin, patient=patient)
    if refused := policy.refusal_of_day(plan.follow_up_on, today=clock.today(now)):
        raise refused
    appointment = _book(
        number, plan=plan, patient=patient, encounter=encounter, by=by, request_key=request_key, deciding=deciding
    )
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=patient.pk)
    up = _the_one_up(referral)
    if up is None and (before := _before(encounter, patient, origin, now=now)):
        raise errors.SentDownAlready(number=before.number)
    row = writing.draft(
        patient=patient, origin=origin, receiver=receiver, direction=Referral.Direction.DOWN, by=by, doctor=doctor,
        encounter=encounter, answers_to=up if up and selectors.may_answer(up) else None, now=now, **written,
    )  # fmt: skip
    _write_plan(row, plan, appointment)
    row = writing.send(referral=row, by=by, consenter=consenter, now=now)
    if up is not None and up.status != Status.RETURNED:
        _send_back(up, row, by=by, now=now)
    _put_on_the_list(row, plan, now=now)
    return row


def _write_plan(row: Referral, plan: Plan, appointment: Appointment | None) -> None:
    CarePlan.objects.create(
        referral=row, summary=plan.summary, medication=plan.medication, rehabilitation=plan.rehabilitation,
        warning_signs=plan.warning_signs, discharged_on=plan.discharged_on, follow_up_on=plan.follow_up_on,
        follow_up_at=plan.follow_up_at, appointment=appointment,
    )  # fmt: skip


def _send_back(up: Referral, row: Referral, *, by: User, now: datetime) -> None:
    """The referral up ends with the one down."""
    trail.step(
        up, trail.Kind.RETURNED, by=by, organization_id=up.receiver_id, now=now, status=Status.RETURNED,
        detail={"down": row.pk}, answered_at=up.answered_at or now,
    )  # fmt: skip


def _put_on_the_list(row: Referral, plan: Plan, *, now: datetime) -> None:
    """The receiver's first follow-up."""
    today = clock.today(now)
    rule = rules.referral_rule(row.origin_id, day=today)
    due_on = policy.first_due(discharged_on=plan.discharged_on, today=today, rule=rule)
    FollowUp.objects.create(referral=row, patient=row.patient, organization=row.receiver, due_on=due_on)


@transaction.atomic
def rehome_follow_up(*, referral: int, now: datetime) -> FollowUp | None:
    """The open follow-up goes where the patient goes: with a redirected referral to its new receiver, with a rejected
    one back to who sent it; a withdrawn one's is no more. Safe to repeat."""
    row = trail.locked(referral)
    follow_up = FollowUp.objects.select_for_update(no_key=True).filter(referral=row, done_at=None).first()
    if follow_up is None or row.direction != Referral.Direction.DOWN:
        return None
    if row.status == Status.WITHDRAWN:
        follow_up.delete()
        return None
    whose = row.origin_id if row.status == Status.REJECTED else row.receiver_id
    if follow_up.organization_id != whose:
        follow_up.organization_id = whose
        follow_up.save(update_fields=["organization"])
    return follow_up


def _whence(referral, encounter, *, origin, patient) -> tuple[Organization, Patient]:
    if referral is not None:
        return referral.receiver, referral.patient
    if encounter is not None:
        return encounter.schedule.organization, encounter.patient
    return origin, patient


def _the_one_up(referral: Referral | None) -> Referral | None:
    """Locked, and fit to be answered by sending the patient back."""
    if referral is None:
        return None
    up = trail.locked(referral.pk)
    if refused := policy.refusal_to_go_down(up, standing=selectors.standing_down(up)):
        raise refused
    return up


def _before(encounter: Encounter | None, patient: Patient, origin: Organization, *, now: datetime) -> Referral | None:
    """A second click, or a colleague who was quicker: of this consultation, or of a stay that ended today."""
    if encounter is not None:
        return selectors.down_of_encounter(encounter)
    return selectors.down_of_stay(patient, hospital=origin, since=now - policy.AGAIN)


def _book(number, *, plan, patient, encounter, by, request_key, deciding) -> Appointment | None:
    if number is None:
        return None
    schedule = number.schedule
    if (schedule.organization_id, schedule.day) != (plan.follow_up_at.pk, plan.follow_up_on):
        raise errors.NumberNotOfPlan()
    return booking.book(
        schedule=schedule, patient=patient, channel=channel_of(encounter, schedule), by=by, start=number.start,
        encounter=encounter, visit_type=walkin.visit_type(patient, schedule), confirmed=True, request_key=request_key,
        now=deciding,
    )  # fmt: skip


def channel_of(encounter: Encounter | None, schedule: Schedule) -> str:
    """In the consult room of this very house it is an in-visit booking; at another's clinic, or at discharge, a ward's:
    the rate of in-visit bookings counts what a doctor books for the own house."""
    own = encounter is not None and encounter.schedule.organization_id == schedule.organization_id
    return Channel.CONSULT if own else Channel.WARD
