"""Step 4 of booking: the slice that was chosen, and who of the account's people may have a number of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Max

from appointments.models import Appointment, BookingRule, PatientSuspension, Schedule, Slot
from appointments.models.rules import Channel
from appointments.policies import booking as booking_policy
from appointments.policies import who as policy
from hospital import clock, consents, masking
from hospital.errors import Refused
from hospital.models import Notice, PatientIdentifier, PatientTime, RelatedPerson, User

from . import rules
from .desk import fees_on
from .numbers import SOURCE, open_to, takeable

RELATED = ("organization", "campus", "department", "service", "room", "team", "role__practitioner")


@dataclass(frozen=True)
class Chosen:
    """A slice of a schedule as the web may take it now. `numbers`: the takeable ones, as (from, to)."""

    schedule: Schedule
    start: datetime
    ends: datetime
    fee: Decimal | None
    rule: BookingRule
    numbers: tuple[tuple[datetime, datetime], ...]

    @property
    def left(self) -> int:
        return 0 if self.schedule.status == Schedule.Status.STOPPED else len(self.numbers)

    @property
    def cancel_by(self) -> datetime:
        return booking_policy.cancel_deadline(self.schedule.day, self.rule)


def chosen_slice(*, schedule_id: int, start: datetime, now: datetime) -> Chosen | None:
    """None where there is no such schedule or the moment is none of its own. Three queries."""
    schedule = Schedule.objects.select_related(*RELATED).filter(pk=schedule_id).first()
    if schedule is None or not schedule.starts_at <= start < schedule.ends_at:
        return None
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    ends = start + timedelta(minutes=rule.segment_minutes)
    pools = rules.pools_for(Channel.WEB, organization_id=schedule.organization_id, day=clock.today(now))
    slots = Slot.objects.filter(
        takeable(now=now), open_to(pools, now=now), schedule=schedule, start__gte=start, start__lt=ends
    )
    return Chosen(
        schedule=schedule,
        start=start,
        ends=min(ends, schedule.ends_at),
        fee=fees_on(schedule.organization_id, day=schedule.day).get(schedule.service.price_code),
        rule=rule,
        numbers=tuple(
            (first, first + timedelta(minutes=minutes)) for first, minutes in slots.values_list("start", "minutes")
        ),
    )


@dataclass(frozen=True)
class Candidate:
    """One of the account's people beside the radio: recognisable, and why not."""

    person: RelatedPerson
    last4: str
    age: int | None
    refusal: Refused | None
    used: policy.Used
    standing: int | None  # the booking of that day and department that stands in the way
    consent: tuple[Notice, ...]  # what must be agreed to first (O4)

    @property
    def pk(self) -> int:
        return self.person.patient_id

    @property
    def masked(self) -> str:
        return masking.name(self.person.patient.name)

    @property
    def bookable(self) -> bool:
        return self.refusal is None and not self.consent


def candidates_for(people: list[RelatedPerson], chosen: Chosen, *, account: User, now: datetime) -> list[Candidate]:
    """Seven queries, however many people."""
    ids = [each.patient_id for each in people]
    lacking = consents.missing_for(account, [each.patient for each in people], now)
    visits, standing = _visits(ids, chosen.schedule, now=now)
    times, suspended, last4 = _times(ids, chosen, now=now), _suspended(ids, now=now), last_fours(ids)
    limits = booking_policy.limits_for(Channel.WEB, exempt=chosen.schedule.service.limits_exempt, rule=chosen.rule)
    found = []
    for each in people:
        pk = each.patient_id
        facts = policy.Person(visits=tuple(visits[pk]), times=tuple(times[pk]), suspended_until=suspended.get(pk))
        refusal = policy.refusal_to_give(
            facts,
            day=chosen.schedule.day,
            department_id=chosen.schedule.department_id,
            numbers=chosen.numbers,
            limits=limits,
            rule=chosen.rule,
        )
        found.append(
            Candidate(
                person=each,
                last4=last4.get(pk, ""),
                age=age_of(each.patient.birth_date, today=clock.today(now)),
                refusal=refusal,
                used=policy.used_by(facts.visits, day=chosen.schedule.day),
                standing=standing.get(pk),
                consent=tuple(lacking[pk]),
            )
        )
    return found


def _visits(patients: list[int], schedule: Schedule, *, now: datetime):
    """Live visits within 90 days of the schedule's, by patient; and which of them is of its day and department."""
    span = timedelta(days=policy.QUARTER)
    rows = (
        Appointment.objects.filter(patient__in=patients, day__gt=schedule.day - span, day__lt=schedule.day + span)
        .exclude(status=Appointment.Status.CANCELLED)
        .exclude(status=Appointment.Status.PENDING, slot__hold_until__lte=now)
        .values_list("patient_id", "pk", "day", "department_id", "counts")
    )
    visits, standing = defaultdict(list), {}
    for patient, pk, day, department, counts in rows:
        visits[patient].append(policy.Visit(day=day, department_id=department, counts=counts))
        if day == schedule.day and department == schedule.department_id:
            standing[patient] = pk
    return visits, standing


def _times(patients: list[int], chosen: Chosen, *, now: datetime) -> dict[int, list]:
    """Where they are promised to be while the slice runs; a hold that has run out is no promise."""
    run_out = Appointment.objects.filter(
        patient__in=patients, status=Appointment.Status.PENDING, slot__hold_until__lte=now
    ).values("pk")
    last = max((end for _start, end in chosen.numbers), default=chosen.ends)
    rows = PatientTime.objects.filter(patient__in=patients, during__overlap=(chosen.start, last)).exclude(
        source=SOURCE, source_id__in=run_out
    )
    times = defaultdict(list)
    for patient, during in rows.values_list("patient_id", "during"):
        times[patient].append((during.lower, during.upper))
    return times


def _suspended(patients: list[int], *, now: datetime) -> dict[int, datetime]:
    rows = PatientSuspension.objects.filter(
        patient__in=patients, lifted_at=None, starts_at__lte=now, ends_at__gt=now
    ).order_by()
    return dict(rows.values_list("patient").annotate(until=Max("ends_at")))


def last_fours(patients: list[int]) -> dict[int, str]:
    """The document each person is known by: its last four. One query."""
    rows = PatientIdentifier.objects.filter(patient__in=patients).order_by("-pk")
    return dict(rows.values_list("patient_id", "last4"))


def age_of(born: date | None, *, today: date) -> int | None:
    """Whole years, as people count them."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
