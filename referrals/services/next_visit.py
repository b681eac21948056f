"""复诊 of a plan that went down: its day is its number's day, and a number booked later is the plan's (R3).

Each is called once per fact, late or long after, and looks at what is so now. Locks: the referral, then its plan.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from appointments.models import Appointment
from hospital import clock
from referrals.models import CarePlan, Referral
from referrals.selectors import down as selectors

from . import trail

STANDS = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED, Appointment.Status.FULFILLED)
GIVEN_UP = (Referral.Status.WITHDRAWN, Referral.Status.REJECTED)
EARLIER, LATER = timedelta(days=7), timedelta(days=30)
"""How far from its day a number that somebody books is still the plan's next visit. The house's choice."""


@transaction.atomic
def moved(*, appointment: int, now: datetime) -> CarePlan | None:
    """改约: the plan, its patient's phone and the follow-up list say the number's day."""
    plan = _locked(Q(appointment=appointment))
    if plan is None:
        return None
    number = Appointment.objects.select_related("schedule").get(pk=appointment)
    if (plan.follow_up_on, plan.follow_up_at_id) == (number.day, number.schedule.organization_id):
        return None
    return _follow(plan, number, why="plan_moved", now=now)


@transaction.atomic
def booked(*, appointment: int, now: datetime) -> CarePlan | None:
    """A plan without a number that stands takes the one that was booked for it: of its patient, at its house, back at
    the hospital of the department that sent the patient down, and about its day. A number that came by a referral up
    is that one's."""
    rows = Appointment.objects.filter(pk=appointment, status__in=STANDS).exclude(referred_by__direction="up")
    number = rows.select_related("schedule").first()
    if number is None or CarePlan.objects.filter(appointment=number).exists():
        return None
    plans = CarePlan.objects.filter(
        selectors.WITHOUT_NUMBER,
        referral__patient=number.patient_id,
        referral__direction=Referral.Direction.DOWN,
        referral__ended_at=None,
        referral__sent_at__lt=number.created_at,
        follow_up_at=number.schedule.organization_id,
        follow_up_on__range=(number.day - LATER, number.day + EARLIER),
    )
    near = [plan for plan in plans.select_related("referral__encounter", "referral__answers_to") if _fits(plan, number)]
    if not near:
        return None
    best = min(near, key=lambda plan: (abs(plan.follow_up_on - number.day), plan.pk))
    plan = _locked(Q(pk=best.pk) & selectors.WITHOUT_NUMBER)
    return _follow(plan, number, why="plan_booked", now=now) if plan else None


@transaction.atomic
def lost(*, appointment: int, why: str, now: datetime) -> CarePlan | None:
    """Cancelled or missed: both sides read it in the trail, the list asks whoever follows up to book another."""
    plan = _locked(Q(appointment=appointment))
    if plan is not None:
        _say(plan, why=f"plan_{why}", now=now)
    return plan


def _locked(which: Q) -> CarePlan | None:
    """Of a referral that was not given up, with its referral locked. One whose follow-up is over still has its day."""
    plans = CarePlan.objects.filter(which).exclude(referral__status__in=GIVEN_UP)
    pk = plans.values_list("referral", flat=True).first()
    if pk is None:
        return None
    referral = trail.locked(pk)
    plan = CarePlan.objects.select_for_update(no_key=True, of=("self",)).filter(which, referral=pk).first()
    if plan is None or referral.status in GIVEN_UP:
        return None
    plan.referral = referral
    return plan


def _fits(plan: CarePlan, number: Appointment) -> bool:
    """A community centre's clinic is one; a hospital has departments."""
    row = plan.referral
    if plan.follow_up_at_id != row.origin_id:
        return True
    department = row.answers_to.department_id if row.answers_to else None
    department = department or (row.encounter.department_id if row.encounter else None)
    return department in (None, number.department_id)


def _follow(plan: CarePlan, number: Appointment, *, why: str, now: datetime) -> CarePlan:
    plan.appointment, plan.follow_up_on = number, number.day
    plan.follow_up_at_id = number.schedule.organization_id
    plan.save(update_fields=["appointment", "follow_up_on", "follow_up_at"])
    _say(plan, why=why, start=number.start.astimezone(clock.ZONE).isoformat(), now=now)
    return plan


def _say(plan: CarePlan, *, now: datetime, **detail) -> None:
    trail.step(plan.referral, trail.Kind.NOTED, by=None, organization_id=None, now=now, detail=detail)
