"""The demo's bulk path is a shortcut, not another truth: held against the services, by rows and by refusals."""

import random
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, transaction

from appointments import invariants
from appointments.demo import behaviour, people, seeding
from appointments.demo.by_service import ByService
from appointments.demo.in_bulk import InBulk
from appointments.demo.ledger import Ledger
from appointments.demo.scale import Scale
from appointments.models import (
    Allotment,
    Appointment,
    BookingRule,
    Encounter,
    NoShow,
    PatientSuspension,
    Schedule,
    Slot,
    StopCase,
)
from appointments.selectors import rules
from appointments.services import supply
from billing.models import PaymentRule
from billing.selectors import rules as money_rules
from hospital import clock
from hospital.errors import Refused
from hospital.models import Fact, Message, Organization, Patient, PatientTime, User
from tests.factories import PatientFactory

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)  # Tuesday 20:30 at the hospital
TODAY = clock.today(NOW)
pytestmark = pytest.mark.django_db

COMPARED = (Appointment, Encounter, PatientTime, NoShow, PatientSuspension)
WAYS = {"bulk": 1, "service": 99}  # days of the last ones through the services


@contextmanager
def hospital(way):
    with transaction.atomic():
        assert seeding.seed(scale=_scale(way), now=NOW)
        connection.check_constraints()  # once: what is left open here is looked through again after every test
        yield
        transaction.set_rollback(True)


def _scale(way):
    return Scale(name="tiny", patients=90, days_back=3, days_ahead=5, wishes=150, by_service=WAYS[way])


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """What both ways leave, and the bulk one's hospital to look into."""
    with django_db_blocker.unblock():
        with hospital("service"):
            service = described()
        with hospital("bulk"):
            yield {"service": service, "bulk": described()}


@pytest.fixture(autouse=True)
def _looked_into(seeded):
    """Every test; what it changes is taken back by the mark above."""


def described() -> dict:
    """The shapes of the rows and facts of the days before today, by what they are; those of stops are the services'."""
    made = Appointment.objects.filter(created_at__lt=clock.at(TODAY, time(0))).exclude(day=TODAY)
    asked = [f"appointment:{pk}" for pk in StopCase.objects.values_list("appointment", flat=True)]
    made = made.filter(stop_cases=None)
    shapes = defaultdict(set)
    moved = Fact.objects.filter(topic="appointment.moved").values_list("payload__appointment", flat=True)
    for row in made.exclude(pk__in=list(moved)).select_related("slot__pool", "by", "schedule__service"):
        shapes["appointment", row.channel, row.status, bool(row.referral_id)].add(_nulls(row))
        shapes["clerk", row.channel].add(row.by.username if row.by and not hasattr(row.by, "practitioner") else None)
        shapes["limits", row.channel, row.schedule.service.limits_exempt].add((row.self_service, row.counts))
        shapes["number", row.status].add(row.slot.status if row.live else None)
        shapes["fee", row.schedule.service.price_code].add(row.fee)
    for model in COMPARED[1:]:
        for row in model.objects.all():
            shapes[model.__name__, getattr(row, "status", "")].add(_nulls(row))
    told = Fact.objects.filter(happened_at__lt=clock.at(TODAY, time(0))).exclude(topic="supply.laid_out")
    at_the_window = {"topic": "appointment.cancelled", "actor__username": "chuangkou"}  # the clue of a resale
    paid = {"key__startswith": "invoice:"}  # money goes through its services in both
    for fact in told.exclude(key__in=asked).exclude(**at_the_window).exclude(**paid):
        shapes["fact", fact.topic].add(_fact(fact))
    return {"shapes": dict(shapes), "broken": [str(each) for each in invariants.violations(now=NOW)]}


def _nulls(row):
    return tuple(field.attname for field in row._meta.concrete_fields if getattr(row, field.attname) is None)


def _fact(fact):
    kinds = tuple(sorted((name, type(value).__name__) for name, value in fact.payload.items() if name != "room"))
    return kinds, fact.actor_id is None, fact.account is None, bool(fact.body), fact.request_key, fact.key.split(":")[0]


def test_no_invariant_is_broken_in_either_way(seeded):
    assert seeded["bulk"]["broken"] == seeded["service"]["broken"] == []


def test_rows_and_facts_of_the_past_have_the_shapes_that_the_services_leave(seeded):
    bulk, service = seeded["bulk"]["shapes"], seeded["service"]["shapes"]
    both = bulk.keys() & service.keys()

    assert {kind: bulk[kind] for kind in both} == {kind: service[kind] for kind in both}
    assert {kind[1] for kind in both if kind[0] == "fact"} >= {
        "appointment.booked", "appointment.cancelled", "appointment.noshow", "supply.shared",
        "encounter.checked_in", "encounter.called", "encounter.started", "encounter.finished",
    }  # fmt: skip
    assert {kind[1] for kind in both if kind[0] == "appointment"} >= {"web", "app", "consult", "counter", "phone"}


def test_what_is_over_was_shared_as_the_job_does_and_nothing_is_left_for_it():
    past = Allotment.objects.filter(day__lt=TODAY, shared_from__isnull=False)

    assert past.exists()
    assert not past.filter(moved_at=None)
    assert supply.follow_up(now=NOW) == 0
    public = Slot.objects.filter(schedule__day__lt=TODAY, status="free", schedule__gate_team=None)
    assert set(public.values_list("pool__kind", flat=True)) == {"public"}


def test_nobody_is_told_of_what_is_long_over():
    assert not Fact.objects.filter(happened_at__lt=NOW - seeding.OLD_NEWS, fanned_out=False)
    assert not Message.objects.filter(status="waiting")
    assert not Message.objects.exclude(template__startswith="stop.").exclude(template__startswith="admission.")


def test_facts_of_one_booking_stand_in_the_order_in_which_they_happened():
    last = {}
    for fact in Fact.objects.filter(key__startswith="appointment:").order_by("id"):
        assert last.get(fact.key, fact.happened_at) <= fact.happened_at
        last[fact.key] = fact.happened_at


def test_ids_go_on_after_the_bulk():
    for model in (Appointment, Encounter, Patient):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [model._meta.db_table])
            assert cursor.fetchone()[0] > model.objects.order_by("-pk").first().pk


def test_memory_and_database_give_the_same_numbers_and_the_same_refusals():
    """Some hundred requests of few patients for few clinics, at any moment before them, some given back or moved."""
    BookingRule.objects.update(rest_minutes_min=60, rest_minutes_max=60)  # a returned number rests a drawn time
    PaymentRule.objects.update(prepaid=[])  # the services would only hold what is to be paid first
    rules.forget()
    money_rules.forget()
    days = [TODAY + timedelta(days=n) for n in (2, 3, 5)]
    requests = drawn_requests(random.Random(3), days)

    by_service = answers(requests, ByService)
    in_bulk = answers(requests, InBulk)

    assert in_bulk == by_service
    refused = {answer for answer in in_bulk if isinstance(answer, str)}
    assert refused >= {"sold_out", "limit", "already_booked", "needs_referral", "too_late_to_cancel"}
    assert sum(isinstance(answer, tuple) for answer in in_bulk) > 60


def drawn_requests(dice: random.Random, days: list[date]) -> list[tuple]:
    """(moment, what, patient, schedule, channel), in time's order."""
    rows = Schedule.objects.filter(day__in=days, organization__kind="hospital", appointments=None).order_by("pk")
    crowded = [
        dice.choice(list(rows.filter(day=day, gate_team=None, role__isnull=False))).pk
        for day in days
        for _n in range(3)
    ]
    gated = list(rows.exclude(gate_team=None).values_list("pk", flat=True)[:1])
    folk = [person.pk for person in PatientFactory.create_batch(30)]
    found = []
    for _request in range(320):
        moment = NOW + timedelta(minutes=dice.randrange(1, 60 * 30))
        what = dice.choices(("book", "cancel", "move"), (8, 1, 1))[0]
        schedule = dice.choice(crowded * 20 + gated)
        found.append(
            (moment, what, dice.choice(folk), schedule, dice.choice(list(behaviour.YOUNG_CHANNELS) + ["ward"]))
        )
    return sorted(found)


def answers(requests: list[tuple], way) -> list:
    """(appointment's place in the order of bookings, start) or the refusal's code, request by request."""
    with transaction.atomic():
        ledger = _empty_ledger()
        ledger.house = way(ledger, told_before=NOW)
        live, told, order = {}, [], {}
        for moment, what, patient, pk, channel in requests:
            schedule = next(
                one for day in range(1, 6) for one in ledger.clinics.all_on(TODAY + timedelta(days=day)) if one.pk == pk
            )
            row = live.get(patient)
            try:
                if what == "book" or row is None:
                    row = ledger.house.book(person=ledger.person[patient], schedule=schedule, channel=channel,
                                            moment=moment, by=None, visit_type="first")  # fmt: skip
                    live[patient] = row
                elif what == "move" and row.schedule.pk != pk:
                    ledger.house.move(row, schedule=schedule, channel=channel, moment=moment)
                else:
                    ledger.house.cancel(live.pop(patient), channel=channel, moment=moment)
                told.append((order.setdefault(row.appointment, len(order)), row.start))
            except Refused as refusal:
                told.append(refusal.code)
                if what == "cancel":
                    live[patient] = row
        transaction.set_rollback(True)
    return told


def _empty_ledger() -> Ledger:
    dice = random.Random(5)
    personas = [
        behaviour.Persona(pk, 40, ("XNK",), behaviour.YOUNG_CHANNELS, 1.0, set())
        for pk in Patient.objects.values_list("pk", flat=True)
    ]
    users = {user.username: user for user in User.objects.filter(username__in=[row[0] for row in people.STAFF])}
    assert Organization.objects.filter(kind="hospital").count() == 1
    return Ledger(scale=_scale("bulk"), dice=dice, personas=personas, users=users, favourite=None, now=NOW)
