"""Step 4 of booking: the slice that was chosen, and who of the account's people may have a number of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Max, Q

from appointments.models import Appointment, BookingRule, PatientSuspension, Schedule, Slot
from appointments.models.rules import Channel
from appointments.policies import booking as booking_policy
from appointments.policies import fit
from appointments.policies import who as policy
from hospital import clock, consents, masking
from hospital.errors import Refused
from hospital.models import Department, Notice, PatientIdentifier, RelatedPerson, User

from . import promised, rules
from .bookings import AHEAD, in_a_hurry, of_account, slice_at
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

    def hurry(self, now: datetime) -> bool:
        return in_a_hurry(self.start, now=now)

    def over(self, now: datetime) -> bool:
        return self.ends <= now


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


def schedule_shown(pk: int) -> Schedule | None:
    """A schedule whose page of slices there still is, whatever became of its numbers."""
    rows = Schedule.objects.filter(department__active=True, service__active=True)
    rows = rows.filter(Q(role=None) | Q(role__active=True, role__practitioner__active=True))
    return rows.filter(Q(team=None) | Q(team__active=True)).filter(pk=pk).first()


@dataclass(frozen=True)
class Standing:
    """A booking of that day and department. `here`: of this very schedule, still to come or checked in."""

    pk: int
    begins: datetime  # its public slice
    ends: datetime
    here: bool
    held: bool  # not confirmed yet
    stopped: bool


@dataclass(frozen=True)
class Candidate:
    """One of the account's people beside the radio: recognisable, and why not."""

    person: RelatedPerson
    last4: str
    age: int | None
    refusal: Refused | None
    used: policy.Used
    standing: Standing | None  # what stands in the way
    consent: tuple[Notice, ...]  # what must be agreed to first (O4)
    doubt: str = ""  # a department that hardly fits: a question, no refusal
    waits: int | None = None  # the open entry in this session's line, where that is asked (B9)

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
    """Seven queries, however many people; one more for what stands, one where a child might rather go to 儿科."""
    ids = [each.patient_id for each in people]
    lacking = consents.missing_for(account, [each.patient for each in people], now)
    visits, standing = _visits(ids, chosen, now=now)
    standing = _shown(standing, account=account)
    times, suspended, last4 = _times(ids, chosen, now=now), _suspended(ids, now=now), last_fours(ids)
    doubts = _doubts(people, chosen.schedule, today=clock.today(now))
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
                doubt=doubts[pk],
            )
        )
    return found


def _visits(patients: list[int], chosen: Chosen, *, now: datetime):
    """Live visits within 90 days of the schedule's, by patient; and which of them is of its day and department."""
    span, day = timedelta(days=policy.QUARTER), chosen.schedule.day
    rows = (
        Appointment.objects.filter(patient__in=patients, day__gt=day - span, day__lt=day + span)
        .exclude(status=Appointment.Status.CANCELLED)
        .exclude(status=Appointment.Status.PENDING, slot__hold_until__lte=now)
        .select_related("schedule")
        .order_by("start", "pk")
    )
    visits, standing = defaultdict(list), {}
    for row in rows:
        visits[row.patient_id].append(policy.Visit(day=row.day, department_id=row.department_id, counts=row.counts))
        if row.day == day and row.department_id == chosen.schedule.department_id:
            found = _standing(row, chosen)
            if found.here or row.patient_id not in standing:
                standing[row.patient_id] = found
    return visits, standing


def _shown(standing: dict[int, Standing], *, account: User) -> dict[int, Standing]:
    """Only what the account may open: somebody else's booking of the same person is no link and no time."""
    pks = [each.pk for each in standing.values()]
    mine = set(of_account(account).filter(pk__in=pks).values_list("pk", flat=True)) if pks else set()
    return {patient: each for patient, each in standing.items() if each.pk in mine}


def _standing(row: Appointment, chosen: Chosen) -> Standing:
    minutes = chosen.rule.segment_minutes
    begins = slice_at(row.start, first=row.schedule.starts_at, minutes=minutes)
    live = row.status in AHEAD
    return Standing(
        pk=row.pk,
        begins=begins,
        ends=max(begins, min(begins + timedelta(minutes=minutes), row.schedule.ends_at)),
        here=live and row.schedule_id == chosen.schedule.pk,
        held=row.status == Appointment.Status.PENDING,
        stopped=live and row.schedule.status == Schedule.Status.STOPPED,
    )


def _doubts(people: list[RelatedPerson], schedule: Schedule, *, today: date) -> dict[int, str]:
    specialty = schedule.department.specialty
    ages = {each.patient_id: age_of(each.patient.birth_date, today=today) for each in people}
    paediatrics = fit.may_prefer_paediatrics(specialty, ages.values()) and _has_paediatrics(schedule.organization_id)
    return {
        each.patient_id: fit.doubt(specialty, sex=each.patient.sex, age=ages[each.patient_id], paediatrics=paediatrics)
        for each in people
    }


def _has_paediatrics(organization: int) -> bool:
    children = Q(specialty=fit.PAEDIATRICS) | Q(specialty__startswith=f"{fit.PAEDIATRICS}.")
    rows = Department.objects.filter(children, organization=organization, active=True)
    return rows.exclude(specialty=fit.NEWBORNS).exists()


def _times(patients: list[int], chosen: Chosen, *, now: datetime) -> dict[int, list]:
    """Where they are promised to be while the slice runs; a hold that has run out is no promise."""
    run_out = Appointment.objects.filter(
        patient__in=patients, status=Appointment.Status.PENDING, slot__hold_until__lte=now
    ).values("pk")
    last = max((end for _start, end in chosen.numbers), default=chosen.ends)
    rows = promised.times_of(patients, between=(chosen.start, last))
    rows = rows.exclude(source=SOURCE, source_id__in=run_out)
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
