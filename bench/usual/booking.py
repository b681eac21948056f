"""The usual way, domain side: one transaction of ORM queries under select_for_update.

Written as well as the ORM allows: no query twice, SKIP LOCKED on numbers, the same order of locks, the same rules
kept in the process. It gives the guarantees that book_slot gives.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, DurationField, Exists, ExpressionWrapper, F, Func, OuterRef, Q, Value
from django.db.models.expressions import When
from django.utils.formats import date_format

from appointments import errors
from appointments.models import Allotment, Appointment, PatientSuspension, Schedule, Slot, TeamReferral
from appointments.policies import booking as policy
from appointments.selectors import rules
from appointments.services.booking import fingerprint
from hospital import clock
from hospital.models import ApiToken, Fact, Patient, PatientTime, PriceItem

BROKEN = {
    "appointment_one_self_service_per_day_and_department": errors.AlreadyBooked,
    "patienttime_not_in_two_places": errors.TimeConflict,
    "appointment_one_live_per_slot": errors.Busy,
}
NUMBER_TIME = Func(
    F("start"),
    ExpressionWrapper(
        F("start") + ExpressionWrapper(F("minutes") * Value(timedelta(minutes=1)), output_field=DurationField()),
        output_field=DateTimeField(),
    ),
    function="tstzrange",
)


def book(
    *,
    schedule_id: int,
    patient: int,
    token: ApiToken,
    request_key: str,
    now: datetime,
    number: int | None = None,
    start: datetime | None = None,
) -> tuple[Appointment, bool]:
    """(the appointment, is it new). Raises the refusals of appointments.errors."""
    asked = {"account": token.user_id, "request_key": request_key}
    asked["body"] = fingerprint("book", schedule_id, patient, number, start)
    try:
        with transaction.atomic():
            if done := replayed(**asked, now=now):
                return done, False
            made = _book(schedule_id, patient, number, start, token=token, asked=asked, now=now)
            return made if isinstance(made, tuple) else (made, True)
    except IntegrityError as error:
        constraint = error.__cause__.diag.constraint_name
        if constraint == "fact_request_once":
            return replayed(**asked, now=now), False
        if constraint not in BROKEN:
            raise
        raise BROKEN[constraint]() from None


def replayed(*, account: int, request_key: str, body: str, now: datetime) -> Appointment | None:
    fact = Fact.objects.filter(account=account, request_key=request_key).first()
    if fact is None:
        return None
    if fact.body != body:
        raise errors.KeyReused()
    appointment = Appointment.objects.select_related("slot").get(pk=fact.payload["appointment"])
    held = appointment.status == Appointment.Status.PENDING
    if not appointment.live or (held and appointment.slot.hold_until <= now):
        raise errors.HoldLapsed()
    return appointment


def _book(schedule_id, patient_id, number, start, *, token, asked, now):
    schedule = _schedule(schedule_id)
    fee = _price(schedule)
    rule = rules.booking_rule_for(schedule, day=clock.today(now))
    pools = _pools(schedule, patient_id, token=token, now=now)
    if not _lock_patient(patient_id):
        raise errors.NoSuchPatient()
    if done := replayed(**asked, now=now):
        return done, False
    self_service = policy.is_self_service(token.channel)
    limits = policy.limits_for(token.channel, exempt=schedule.service.limits_exempt, rule=rule)
    _lapse_own(patient_id, now=now)
    if self_service:
        _suspended(patient_id, now=now)
        _limited(patient_id, schedule, limits, rule)
    slot = _claim(schedule, patient_id, number, start, pools=pools, token=token, rule=rule, now=now)
    slot.status, slot.hold_until = Slot.Status.HELD, now + policy.hold_for(token.channel, rule)
    slot.save(update_fields=["status", "hold_until"])
    appointment = Appointment.objects.create(
        slot=slot,
        schedule=schedule,
        patient_id=patient_id,
        department_id=schedule.department_id,
        day=schedule.day,
        start=slot.start,
        channel=token.channel,
        self_service=self_service,
        counts=self_service and not schedule.service.limits_exempt,
        fee=fee,
        by=token.user,
        created_at=now,
    )
    during = (slot.start, slot.start + timedelta(minutes=slot.minutes))
    PatientTime.objects.create(patient_id=patient_id, during=during, source="appointment", source_id=appointment.pk)
    _publish("held", appointment, actor=token.user, now=now, **asked)
    return appointment


def _schedule(schedule_id: int) -> Schedule:
    related = ("service", "role__practitioner")
    schedule = Schedule.objects.select_related(*related).filter(pk=schedule_id).first()
    if schedule is None:
        raise errors.NoSuchNumber()
    if schedule.status != Schedule.Status.OPEN:
        raise errors.Stopped()
    role = schedule.role
    if not schedule.service.active or (role and not (role.active and role.practitioner.active)):
        raise errors.Inactive()
    return schedule


def _price(schedule: Schedule):
    prices = PriceItem.objects.filter(
        Q(effective_to=None) | Q(effective_to__gte=schedule.day),
        organization=schedule.organization_id,
        code=schedule.service.price_code,
        effective_from__lte=schedule.day,
    )
    fee = prices.values_list("amount", flat=True).first()
    if fee is None:
        raise errors.NoPrice()
    return fee


def _pools(schedule: Schedule, patient_id: int, *, token: ApiToken, now: datetime) -> list[int]:
    channel = rules.pools_for(token.channel, organization_id=schedule.organization_id, day=clock.today(now))
    allowed = list(channel.ids)
    if schedule.gate_team_id:
        referrals = TeamReferral.objects.filter(patient=patient_id, team=schedule.gate_team_id, valid_until__gt=now)
        if not referrals.exists():
            raise errors.NeedsTeamReferral()
        allowed = [channel.team]
    usable = Q(pool__in=allowed, opens_at__lte=now)
    if channel.public in allowed:
        usable |= Q(shared_from__lte=now)
    pools = list(Allotment.objects.filter(usable, schedule=schedule).values_list("pool", flat=True))
    if not pools:
        raise errors.NotOpen()
    return pools


def _lock_patient(patient_id: int, **how) -> bool:
    rows = Patient.objects.select_for_update(no_key=True, **how).filter(pk=patient_id, active=True)
    return rows.values_list("pk", flat=True).first() is not None


def _suspended(patient_id: int, *, now: datetime) -> None:
    rows = PatientSuspension.objects.filter(patient=patient_id, lifted_at=None, starts_at__lte=now, ends_at__gt=now)
    if found := rows.order_by("-ends_at").first():
        raise errors.PatientSuspended(until=date_format(found.ends_at.astimezone(clock.ZONE), "n月j日"))


def _lapse_own(patient_id: int, *, now: datetime) -> None:
    rows = Appointment.objects.filter(patient=patient_id, status="pending", slot__hold_until__lte=now)
    for appointment in rows.select_related("slot").order_by("slot"):
        _lapse(appointment, now=now)


def _lapse(appointment: Appointment, *, now: datetime) -> None:
    appointment.status, appointment.cancelled_at, appointment.note = "cancelled", now, "lapsed"
    appointment.save(update_fields=["status", "cancelled_at", "note"])
    PatientTime.objects.filter(source="appointment", source_id=appointment.pk).delete()
    Slot.objects.filter(pk=appointment.slot_id).update(status="free", hold_until=None)
    _publish("lapsed", appointment, now=now)


def _limited(patient_id: int, schedule: Schedule, limits: list[int] | None, rule) -> None:
    day = schedule.day
    span = (day - timedelta(days=89), day + timedelta(days=89))
    rows = Appointment.objects.filter(patient=patient_id, day__range=span).exclude(status="cancelled")
    visits = list(rows.values_list("day", "department", "counts"))
    if any(when == day and where == schedule.department_id for when, where, _counts in visits):
        raise errors.AlreadyBooked()
    if limits is None:
        return
    days = [day, *(when for when, _where, counts in visits if counts)]
    for most, length in zip(limits, (1, 7, 90), strict=True):
        begins = [each for each in days if day - timedelta(days=length) < each <= day]
        if any(sum(each <= when < each + timedelta(days=length) for when in days) > most for each in begins):
            raise errors.LimitReached(day=rule.limit_day, week=rule.limit_week, quarter=rule.limit_quarter)


def _claim(schedule, patient_id, number, start, *, pools, token, rule, now) -> Slot:
    passed = Q(status__in=["held", "resting"], hold_until__lte=now)
    takeable = Slot.objects.filter(Q(status="free") | passed, schedule=schedule, pool__in=pools)
    if number is not None:
        takeable = takeable.filter(number=number)
    if start is not None:
        takeable = takeable.filter(start__gte=start, start__lt=start + timedelta(minutes=rule.segment_minutes))
    ahead = takeable if policy.may_take_past_numbers(token.channel) else takeable.filter(start__gt=now)
    elsewhere = PatientTime.objects.filter(patient=patient_id, during__overlap=OuterRef("time"))
    fitting = ahead.annotate(time=NUMBER_TIME).filter(~Exists(elsewhere))
    free_first = Case(When(status="held", then=1), default=0)
    slot = fitting.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by(free_first, "number").first()
    if slot is None:
        raise _miss(takeable, ahead, fitting)
    if slot.status == Slot.Status.HELD:
        former = Appointment.objects.filter(slot=slot, status="pending").first()
        if former and not _lock_patient(former.patient_id, skip_locked=True):
            raise errors.Busy()
        if former:
            _lapse(former, now=now)
    return slot


def _miss(takeable, ahead, fitting):
    """Not got is not sold out: look again without locks."""
    for rows, refusal in ((fitting, errors.Busy), (ahead, errors.TimeConflict), (takeable, errors.PastNumber)):
        if rows.exists():
            return refusal()
    return errors.SoldOut()


def _publish(what: str, appointment: Appointment, *, now: datetime, actor=None, **request) -> None:
    payload = {"appointment": appointment.pk, "slot": appointment.slot_id}
    if what == "held":
        payload |= {"schedule": appointment.schedule_id, "channel": appointment.channel, "extra": False}
    topic, key = f"appointment.{what}", f"appointment:{appointment.pk}"
    Fact.objects.create(topic=topic, key=key, payload=payload, actor=actor, happened_at=now, **request)
