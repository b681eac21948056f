"""停诊 and 替诊 of the last days: who asked, what the office decided, what the touched patients answered; and a clue of
a resale.

All of it through the services, in simulated time. The orders are older than what the worker still has to tell, so that
their questions are written and sent here; of the latest answers the worker tells, as of everything else of today.
"""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from appointments.demo import behaviour
from appointments.demo.branches import STAY
from appointments.demo.ledger import DAY
from appointments.demo.scale import SEED
from appointments.models import Allotment, Appointment, CallNote, Pool, Schedule, StopCase, Suspension
from appointments.selectors.stops import elsewhere, scope, substitutes
from appointments.services import booking, changes, stops, supply
from appointments.services.stops import cases, telling
from appointments.services.stops.orders import Wish
from hospital import audit, clock, messages
from hospital.errors import Refused
from hospital.models import Fact, Patient, Practitioner, User

Cause = Suspension.Cause

BY_DAY = time(6, 30), time(19, 30)
"""When somebody at the hospital decides. The night between is so short that NEWEST, put back to the evening before it,
is still within the patients' 24 hours."""

NEWEST = timedelta(hours=12, minutes=10)  # beyond what the worker still tells (seeding.OLD_NEWS)
OVERDUE = timedelta(hours=30)  # an order whose patients have had their 24 hours
AHEAD = 3, 9  # days until the sessions in question
FEWEST, MOST = 2, 14  # patients booked there
LOOKED_AT = 10  # sessions
SOON = timedelta(seconds=30)  # when the worker has told, and the jobs have looked
RUNG_IN_VAIN = 0.4  # share of the silent whom the phone desk has rung in vain
CANDIDATES = 8  # bookings that are looked at for the resale


@dataclass(frozen=True)
class Scene:
    dice: random.Random
    users: dict[str, User]
    doctor: Practitioner  # the demo's own: he asks, his numbers stay
    now: datetime

    @property
    def office(self) -> User:
        return self.users["haoyuan"]

    def ago(self, much: timedelta) -> datetime:
        """The latest moment by day that is so long ago, or longer."""
        moment = self.now - much
        there = moment.astimezone(clock.ZONE)
        first, last = BY_DAY
        if there.time() < first:
            return clock.at(there.date() - DAY, last).astimezone(UTC)
        return min(moment, clock.at(there.date(), last)).astimezone(UTC)


def live(*, doctor: Practitioner, users: dict[str, User], now: datetime) -> None:
    """In the order of their days. What a small hospital has no session for is left out."""
    scene = Scene(random.Random(f"{SEED}stops"), users, doctor, now)
    own = _own_sessions(scene)
    if own:
        _ask_in_vain(scene, own[0])
    given = _give_to_another(scene)
    _stop_one(scene, but=given)
    if len(own) > 1:
        _ask(scene, own[-1], cause=Cause.MEETING, reason="参加省心血管年会", at=scene.ago(timedelta(hours=2)))
    _share_kept(now=now)
    stops.follow_up(now=now)  # of the numbers that were kept some have begun: others are kept instead
    _resell(scene)


def _own_sessions(scene: Scene) -> list[Schedule]:
    """The demo doctor's, in a week and later: his clinics of these days stay as they are."""
    today = clock.today(scene.now)
    rows = Schedule.objects.filter(role__practitioner=scene.doctor, status=Schedule.Status.OPEN, gate_team=None)
    rows = rows.filter(day__range=(today + 5 * DAY, today + 20 * DAY))
    return list(rows.select_related("role__practitioner__user").order_by("starts_at", "pk"))


def _ask(scene: Scene, row: Schedule, *, cause: str, reason: str, at: datetime) -> Suspension:
    """The doctor of the session, for this one."""
    doctor = row.role.practitioner
    return stops.ask(wish=_wish(row, cause=cause, reason=reason), by=doctor.user, now=at)


def _wish(row: Schedule, *, cause: str, reason: str) -> Wish:
    return Wish(
        organization=row.organization_id, first_day=row.day, last_day=row.day, cause=cause, reason=reason,
        practitioner=row.role.practitioner_id, schedules=(row.pk,),
    )  # fmt: skip


def _ask_in_vain(scene: Scene, row: Schedule) -> None:
    order = _ask(scene, row, cause=Cause.LEAVE, reason="家中有事", at=scene.ago(timedelta(days=4)))
    decided = scene.ago(timedelta(days=3))
    stops.reject(order=order, by=scene.office, reason="当天专家号已约满，请先与同事商定替诊", now=decided)
    messages.send_waiting(now=decided + SOON)


def _give_to_another(scene: Scene) -> Schedule | None:
    """替诊: asked for by the doctor, approved with a colleague. Their patients' day is over, some are silent."""
    asked, decided = scene.ago(OVERDUE + timedelta(hours=3)), scene.ago(OVERDUE)
    rows = _sessions(scene, since=asked)
    free = substitutes.choices(rows, now=decided)
    rows = [row for row in rows if free[row.pk].free and row.role.practitioner.user_id]
    if not rows:
        return None
    row = rows[0]
    order = _ask(scene, row, cause=Cause.DUTY, reason="外院急会诊", at=asked)
    with_colleague = {row.pk: (free[row.pk].free[0].role.pk, None)}
    order = stops.approve(order=order, by=scene.office, substitutes=with_colleague, now=decided)
    _tell(order, at=decided + SOON)
    asked_for = _answers(scene, order, decided=decided)
    if asked_for:
        over = max(case.deadline for case in asked_for) + SOON
        stops.follow_up(now=over)
        _ring(scene, order, after=over)
    return row


def _stop_one(scene: Scene, *, but: Schedule | None) -> None:
    """停诊 by the office: the doctor called in sick. It runs: answers have come, others are waited for."""
    decided = scene.ago(NEWEST)
    rows = [row for row in _sessions(scene, since=decided) if but is None or row.department_id != but.department_id]
    if not rows:
        return
    wish = _wish(rows[0], cause=Cause.ILLNESS, reason="来电请病假")
    order = stops.stop(wish=wish, by=scene.office, now=decided)
    _tell(order, at=decided + SOON)
    _answers(scene, order, decided=decided)


def _sessions(scene: Scene, *, since: datetime) -> list[Schedule]:
    """Doctors' own sessions some days ahead with patients whom nobody has moved since then, the fullest first."""
    today = clock.today(scene.now)
    later = Q(created_at__gte=since) | Q(cancelled_at__gte=since)
    touched = Appointment.objects.filter(later, schedule=OuterRef("pk"))
    rows = Schedule.objects.filter(
        organization=scene.doctor.organization_id,
        day__range=(today + AHEAD[0] * DAY, today + AHEAD[1] * DAY),
        status=Schedule.Status.OPEN,
        role__isnull=False,
        team=None,
        gate_team=None,
        substitutions=None,
    ).exclude(department__code__in=STAY)
    booked = Count("appointments", filter=Q(appointments__status=Appointment.Status.BOOKED))
    rows = rows.annotate(booked=booked).filter(~Exists(touched), booked__range=(FEWEST, MOST))
    rows = rows.select_related(*scope.RELATED, "role__practitioner__user").order_by("-booked", "starts_at", "pk")
    return [row for row in rows[:LOOKED_AT] if not _moved(row.appointments.all(), since=since)]


def _moved(rows: QuerySet[Appointment], *, since: datetime) -> bool:
    keys = [f"appointment:{pk}" for pk in rows.values_list("pk", flat=True)]
    return Fact.objects.filter(key__in=keys, happened_at__gte=since).exists()


def _tell(order: Suspension, *, at: datetime) -> None:
    """As the worker did: the questions and what staff hear, written and sent."""
    for case in StopCase.objects.filter(substitution__suspension=order).order_by("pk"):
        telling.ask(case=case.pk, now=at)
    messages.send_waiting(now=at)


def _answers(scene: Scene, order: Suspension, *, decided: datetime) -> list[StopCase]:
    """Some are silent, one at least; the others answer when they have seen the message, if that is not yet to come."""
    asked = list(cases.related().filter(substitution__suspension=order).order_by("pk"))
    silent = {case.pk for case in asked if behaviour.stays_silent(scene.dice)}
    if asked and not silent:
        silent = {scene.dice.choice(asked).pk}
    replies = [(decided + SOON + behaviour.thinks_it_over(scene.dice), case.pk, case) for case in asked]
    for moment, pk, case in sorted(replies, key=lambda reply: reply[:2]):
        if pk not in silent and moment < min(scene.now, case.deadline):
            with suppress(Refused):  # taken by somebody else meanwhile: this one is still thinking
                _answer(scene, case, at=moment)
    return asked


def _answer(scene: Scene, case: StopCase, *, at: datetime) -> None:
    answer = behaviour.answer_to_stop(scene.dice, substitute=case.substitution.substitute_id is not None)
    if answer == StopCase.Answer.ACCEPT:
        stops.accept(case=case, by=None, now=at)
        return
    places = elsewhere.places_for(case, now=at) if answer == StopCase.Answer.MOVE else []
    if not places:
        stops.cancel(case=case, by=None, now=at)
        return
    place = scene.dice.choice(places[:3])
    slot = scene.dice.choice(place.slots)
    stops.move(case=case, schedule=place.schedule.pk, number=slot.number, by=None, request_key=None, now=at)


def _ring(scene: Scene, order: Suspension, *, after: datetime) -> None:
    """The phone desk has begun with the call list."""
    caller, moment = scene.users["dianhua"], after
    for case in StopCase.objects.filter(substitution__suspension=order, answer="").order_by("appointment__start", "pk"):
        moment += timedelta(minutes=scene.dice.randint(4, 15))
        if scene.dice.random() < RUNG_IN_VAIN and BY_DAY[0] < moment.astimezone(clock.ZONE).time() < BY_DAY[1]:
            note = CallNote.objects.create(case=case, by=caller, at=moment, outcome=CallNote.Outcome.NO_ANSWER)
            audit.record(
                action="stop.called", actor=caller, patient=case.patient, subject=f"stopcase:{case.pk}",
                detail={"after": note.outcome}, now=moment,
            )  # fmt: skip


def _share_kept(*, now: datetime) -> None:
    """Numbers that nobody took in time are the public's, each at its moment: what the recall job has done by now."""
    kept = Allotment.objects.filter(pool__kind=Pool.Kind.REBOOK, moved_at=None, shared_from__lte=now - SOON)
    for moment in sorted(set(kept.values_list("shared_from", flat=True))):
        supply.follow_up(now=moment + SOON)


def _resell(scene: Scene) -> None:
    """P11: a number given back at the window, and minutes later taken there for somebody else by the same hand."""
    today = clock.today(scene.now)
    gave = clock.at(today - DAY, time(15, scene.dice.randrange(60))).astimezone(UTC)
    took = gave + timedelta(minutes=scene.dice.randint(4, 8))
    rows = Appointment.objects.filter(
        status=Appointment.Status.BOOKED, day__range=(today + 2 * DAY, today + 7 * DAY), created_at__lt=gave - DAY,
        channel__in=("web", "app"), schedule__status=Schedule.Status.OPEN, schedule__role__isnull=False,
        schedule__gate_team=None, schedule__organization=scene.doctor.organization_id,
        schedule__substitutions=None, stop_cases=None,
    ).exclude(department__code__in=STAY)  # fmt: skip
    rows = rows.select_related("slot", "schedule__service", "patient").order_by("day", "pk")
    for row in rows[:CANDIDATES]:
        other = _alike(row.patient, today=today)
        if other is None or _moved(Appointment.objects.filter(slot=row.slot_id), since=gave):
            continue
        with suppress(Refused), transaction.atomic():
            changes.cancel(appointment=row, by=scene.users["chuangkou"], channel="counter", now=gave)
            booking.book(
                schedule=row.schedule, patient=other, channel="counter", by=scene.users["chuangkou"],
                request_key=None, number=row.slot.number, confirmed=True, now=took,
            )  # fmt: skip
            return


def _alike(patient: Patient, *, today: date) -> Patient | None:
    """Somebody of that sex and about that age who has nothing booked."""
    born, years = patient.birth_date, timedelta(days=10 * 365)
    rows = Patient.objects.filter(active=True, sex=patient.sex, birth_date__range=(born - years, born + years))
    return rows.exclude(pk=patient.pk).exclude(appointments__day__gte=today).order_by("pk").first()
