"""Who may be sent down where, what stands already, and the numbers for the next visit."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import Q

from appointments.models import Appointment, Encounter
from appointments.selectors import operator
from appointments.selectors import rules as heart
from hospital.models import Organization, Patient, SignedResident
from referrals.models import CarePlan, FollowUp, Referral
from referrals.policies.follow_up import LONGEST

Status = Referral.Status
GONE = (Appointment.Status.CANCELLED, Appointment.Status.NOSHOW)
WITHOUT_NUMBER = Q(appointment=None) | Q(appointment__status__in=GONE)
"""Of a plan: its next visit has a day only, or its number was cancelled or missed."""


def standing_down(referral: Referral) -> Referral | None:
    """The referral down that sends this one's patient back; none where it was withdrawn or rejected."""
    gone = [Status.WITHDRAWN, Status.REJECTED]
    return Referral.objects.filter(answers_to=referral).exclude(status__in=gone).first()


def may_answer(referral: Referral) -> bool:
    """One standing row names it; after a rejected one the next stands for itself."""
    return not Referral.objects.filter(answers_to=referral).exclude(status=Status.WITHDRAWN).exists()


def down_of_encounter(encounter: Encounter) -> Referral | None:
    rows = Referral.objects.filter(encounter=encounter, direction=Referral.Direction.DOWN)
    return rows.exclude(status__in=[Status.WITHDRAWN, Status.REJECTED, Status.DRAFT]).first()


def down_of_stay(patient: Patient, *, hospital: Organization, since: datetime) -> Referral | None:
    """Sent down by the hospital since then, of no consultation and answering no referral."""
    rows = Referral.objects.filter(
        patient=patient, origin=hospital, direction=Referral.Direction.DOWN, sent_at__gt=since
    )
    rows = rows.filter(encounter=None, answers_to=None)
    return rows.exclude(status__in=[Status.WITHDRAWN, Status.REJECTED]).first()


def receivers(hospital: Organization, *, patient: Patient, first: int | None, day: date) -> list[Organization]:
    """Lower institutions that work with the hospital on `day`: who sent the patient, then where the patient is signed,
    then the others by code. Two queries; whom the hospital works with is kept in the process."""
    rows = Organization.objects.filter(active=True).exclude(pk=hospital.pk).order_by("code")
    found = [row for row in rows if heart.is_allied(row.pk, organization_id=hospital.pk, day=day)]
    signed = signed_at(patient, day=day)
    return sorted(found, key=lambda row: (row.pk != first, row.pk != signed))


def signed_at(patient: Patient, *, day: date) -> int | None:
    """Whose signed resident the patient is."""
    rows = SignedResident.objects.filter(patient=patient, effective_from__lte=day, effective_to__gte=day)
    return rows.values_list("organization", flat=True).first()


def has_next_visit(referral: Referral) -> bool:
    """Its plan has a number that stands: nobody has to book another one."""
    return CarePlan.objects.filter(referral=referral, appointment__isnull=False).exclude(WITHOUT_NUMBER).exists()


# ---- numbers for the next visit ----


class Anywhere(operator.Place):
    """Every sitting of a small house: whoever is sent down sees whoever sits there."""

    @property
    def wanted(self) -> Q:
        return Q()


@dataclass(frozen=True)
class Ahead(operator.Scope):
    """As far as a plan may reach: what is open by now is said by each sitting's own allotments. A small house has
    seldom a release rule of its own to say how far."""

    @cached_property
    def last_day(self) -> date:
        return self.today + LONGEST


@dataclass(frozen=True)
class Times:
    """The sittings of the day with their slices; `others`: days near it with numbers, where it has none."""

    day: date
    sittings: list[operator.Sitting]
    others: list[date]

    @property
    def left(self) -> int:
        return sum(each.left for each in self.sittings)


def times(
    *, house: Organization, department_id: int | None, channel: str, patient_id: int, day: date, now: datetime
) -> Times:
    """`department_id`: back at the hospital the own department's; None: the whole house. About eight queries."""
    scope = Ahead(
        channel=channel, house=house, partner_id=None, patient_id=patient_id, department_id=department_id, now=now
    )
    place = Anywhere("department", department_id or 0, house.name, "")
    sittings = operator.sittings(scope, place, day=day)
    found = Times(day, sittings, [])
    if found.left:
        return found
    around = operator.strip(scope, place, since=None, day=None, target=max(day - timedelta(days=3), scope.today))
    return Times(day, sittings, [each.day for each in around.days if each.left and each.day != day][:6])


def sitting_of(times: Times, value: str) -> tuple[operator.Sitting, operator.Slice] | None:
    """What was chosen of them, as long as it has a number."""
    return next(((sitting, each) for sitting in times.sittings for each in sitting.slices if each.value == value), None)


# ---- what a page shows of a referral down ----


@dataclass(frozen=True)
class Shown:
    """A referral down with its plan and everybody's follow-ups."""

    referral: Referral
    plan: CarePlan
    follow_ups: list[FollowUp]

    @property
    def open(self) -> FollowUp | None:
        return next((row for row in self.follow_ups if row.done_at is None), None)

    @property
    def done(self) -> list[FollowUp]:
        return [row for row in self.follow_ups if row.done_at is not None]


PLAN = ("follow_up_at", "appointment__slot", "appointment__schedule__department", "appointment__schedule__campus")


def shown(referral: Referral) -> Shown | None:
    """Two queries; None where it has no plan."""
    who = ("appointment__schedule__role__practitioner", "appointment__schedule__team", "appointment__schedule__room")
    plan = CarePlan.objects.filter(referral=referral).select_related(*PLAN, *who).first()
    if plan is None:
        return None
    rows = FollowUp.objects.filter(referral=referral).select_related("by", "organization")
    return Shown(referral, plan, list(rows.order_by("pk")))
