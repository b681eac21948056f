"""What an order may say, whom it reaches, and that one bad order never stands in the others' way (B13, O9)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments.errors import PreviewStale
from appointments.models import BulkAct, Schedule, Slot, StopOffer, Suspension
from appointments.services import bulk, changes, extras, stops
from appointments.services.stops import closing, offers
from hospital.models import Contract
from tests.booking.crowd import Crowd, await_waiting
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .scenes import IN_A_WEEK, doctor, doctors_account, office_of, session, stop, substitute, wish

pytestmark = pytest.mark.django_db
NOBODY = 99_999_999


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def an_order_of_a_dead_worker(schedule, **more) -> Suspension:
    """In force, with nothing of it carried out."""
    by = StaffFactory(roles="office")
    order = wish(schedule).row(by=by, status=Suspension.Status.ACTIVE, now=NOW)
    for name, value in more.items():
        setattr(order, name, value)
    order.save()
    return order


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lock", [closing.lock, lambda pk: bulk.acts.lock([pk])[0]], ids=["stop", "bulk"])
def test_who_waited_for_a_session_sees_the_doctor_who_sits_in_it_now(lock):
    """B13: the doctor is read after the lock, or undoing would write that there is none."""
    first, second = doctor(), doctor()
    row = open_schedule(role=first, numbers=2)

    def look():
        with transaction.atomic():
            return lock(row.pk).role

    with Crowd(1) as crowd:
        with transaction.atomic():
            Schedule.objects.select_for_update(no_key=True).get(pk=row.pk)
            Schedule.objects.filter(pk=row.pk).update(role=second)
            waiting = crowd.begin(look)
            await_waiting(1)
        assert waiting.result() == second


def test_a_substitute_or_a_room_that_can_not_be_is_refused_before_the_order_is_in_force():
    """B13: a room of another house, or ids that nobody has."""
    schedule = session(doctor(), booked=0)
    colleague = doctor(schedule.department)
    elsewhere = RoomFactory(campus=CampusFactory(organization=OrganizationFactory(code="H2", name="分院"), code="C9"))
    request = stops.ask(wish=wish(schedule, practitioner=schedule.role.practitioner_id), by=StaffFactory(), now=NOW)
    office = StaffFactory(roles="office")

    for role, room in ((NOBODY, None), (colleague.pk, NOBODY), (colleague.pk, elsewhere.pk)):
        picks = {schedule.pk: (role, room)}
        with pytest.raises(PreviewStale):
            stops.stop(wish=replace(wish(schedule), substitutes=picks), by=office, now=NOW)
        with pytest.raises(PreviewStale):
            stops.approve(order=request, substitutes=picks, by=office, now=NOW)

    request.refresh_from_db()
    assert request.status == "requested"
    assert Suspension.objects.count() == 1
    other_room = RoomFactory(campus=schedule.campus)
    stops.approve(order=request, substitutes={schedule.pk: (colleague.pk, other_room.pk)}, by=office, now=NOW)
    schedule.refresh_from_db()
    assert (schedule.role, schedule.room) == (colleague, other_room)


def test_one_bad_order_is_noted_and_the_others_are_carried_out():
    """B13: a worker dies of nothing that somebody once wrote into an order."""
    bad, good = session(doctor(), booked=0), session(doctor(), booked=0)
    broken = an_order_of_a_dead_worker(bad, substitutes={str(bad.pk): [NOBODY, None]})
    an_order_of_a_dead_worker(good)

    stops.follow_up(now=NOW)
    stops.follow_up(now=NOW + timedelta(minutes=1))

    broken.refresh_from_db()
    good.refresh_from_db()
    assert list(broken.problems) == [str(bad.pk)]
    assert good.status == "stopped"


def test_an_offer_or_a_case_that_fails_leaves_the_others(monkeypatch):
    """B13: each is guarded apart."""
    first, second = session(doctor(), booked=1), session(doctor(), booked=1)
    stop(first)
    stop(second)
    seen = []

    def fails_once(row, *, now):
        seen.append(row.schedule_id)
        if row.schedule_id == first.pk:
            raise ValueError
        return 0

    monkeypatch.setattr(offers, "top_up", fails_once)
    stops.follow_up(now=NOW + timedelta(minutes=1))

    assert seen == [first.pk, second.pk]


def test_the_last_answer_while_numbers_are_counted_does_no_harm():
    """B13: how many wait, since when and until when is one look, so that no answer comes in between."""
    row = stop(session(doctor(), booked=1)).sessions.get()

    with CaptureQueriesContext(connection) as looks:
        offers.top_up(row, now=NOW)

    assert sum('FROM "appointments_stopcase"' in each["sql"] for each in looks) == 1


def test_numbers_kept_in_a_session_that_was_stopped_too_are_the_publics_again_after_both():
    """B13: stop A keeps numbers in B, stop B, undo A, undo B."""
    department = DepartmentFactory()
    a, b = (session(doctor(department), booked=booked, numbers=8) for booked in (3, 0))
    first = stop(a)
    assert b.slots.filter(pool__kind="rebook").exists()
    second = stop(b)

    stops.undo(order=first, by=StaffFactory(), why="", now=NOW)
    stops.undo(order=second, by=StaffFactory(), why="", now=NOW)

    assert set(b.slots.values_list("status", "pool__kind")) == {("free", "public")}
    assert not StopOffer.objects.exists()


def test_what_could_not_be_given_back_at_once_is_given_back_by_the_next_run():
    """B13: somebody held the number when the stop was undone."""
    department = DepartmentFactory()
    a, b = (session(doctor(department), booked=booked, numbers=8) for booked in (1, 0))
    order = stop(a)
    kept = list(b.slots.filter(pool__kind="rebook").values_list("pk", flat=True))
    Slot.objects.filter(pk__in=kept).update(status="held", hold_until=NOW + timedelta(minutes=5))
    stops.undo(order=order, by=StaffFactory(), why="", now=NOW)
    Slot.objects.filter(pk__in=kept).update(status="free", hold_until=None)

    stops.follow_up(now=NOW + timedelta(minutes=6))

    assert set(b.slots.values_list("pool__kind", flat=True)) == {"public"}


def added(schedule, *, pool, count, undone=False):
    by = StaffFactory(roles="office")
    act = bulk.preview(
        kind=BulkAct.Kind.ADD_NUMBERS,
        organization=schedule.organization,
        schedules=[schedule.pk],
        params={"count": count, "pool": pool.pk},
        reason="加号",
        by=by,
        now=NOW,
    )
    bulk.apply(act=act, by=by, now=NOW)
    if undone:
        bulk.undo(act=act, by=by, now=NOW)


def test_undoing_a_substitute_opens_no_number_that_the_office_closed_meanwhile():
    """B13: the session was never stopped, so nothing of it is to be opened."""
    schedule = session(doctor(), booked=0, numbers=4)
    order = substitute(schedule, doctor(schedule.department))
    added(schedule, pool=schedule.slots.first().pool, count=3, undone=True)

    stops.undo(order=order, by=StaffFactory(), why="", now=NOW)

    assert sorted(schedule.slots.values_list("status", flat=True)) == ["blocked"] * 3 + ["free"] * 4


def test_add_on_numbers_that_were_prepared_come_back_and_those_of_a_patient_end_with_them():
    """B10, B13"""
    schedule = session(doctor(), booked=0, numbers=2)
    added(schedule, pool=extras.extra_pool(schedule.organization_id), count=2)
    row = appointment_row(schedule, PatientFactory(), number=3, extra=True)
    order = stop(schedule)
    changes.cancel(appointment=row, by=StaffFactory(roles="counter"), channel="counter", now=NOW)
    stops.undo(order=order, by=StaffFactory(), why="", now=NOW)

    assert dict(schedule.slots.values_list("number", "status")) == {1: "free", 2: "free", 3: "blocked", 4: "free"}


def test_an_office_of_one_department_orders_nothing_for_days_of_others_that_are_not_laid_out(client):
    """O9: the doctor also sits elsewhere; that is the other department's to decide."""
    here, there = DepartmentFactory(), DepartmentFactory()
    person = PractitionerFactory()
    own, others = RoleFactory(practitioner=person, department=here), RoleFactory(practitioner=person, department=there)
    open_schedule(role=own, day=TODAY + timedelta(days=10), numbers=2)
    day = TODAY + timedelta(days=20)
    client.force_login(office_of(here))
    asked = {"practitioner": person.pk, "first": str(day), "last": str(day + timedelta(days=1))}
    seen = client.get("/office/stops/new/", asked).context["preview"].digest

    client.post("/office/stops/new/", asked | {"cause": "leave", "reason": "休假", "seen": seen})

    assert Suspension.objects.get().department == here
    later = [open_schedule(role=role, day=day + timedelta(days=n), numbers=2) for n, role in enumerate([own, others])]
    stops.follow_up(now=NOW + timedelta(minutes=1))
    assert [Schedule.objects.get(pk=row.pk).status for row in later] == ["stopped", "open"]


def test_a_doctor_of_two_houses_asks_each_for_its_own_sessions(client):
    """O9: one request per house, so that each office can decide; for days and for ticked sessions."""
    home, branch = OrganizationFactory(), OrganizationFactory(code="H2", name="分院")
    own = doctor()
    Contract.objects.create(practitioner=own.practitioner, organization=branch, effective_from=date(2020, 1, 1))
    campus = CampusFactory(organization=branch, code="C2")
    department = DepartmentFactory(organization=branch, campus=campus)
    lent = RoleFactory(
        practitioner=own.practitioner, department=department, service=ServiceFactory(organization=branch)
    )
    place = {"organization": branch, "campus": campus, "room": RoomFactory(campus=campus)}
    here = open_schedule(role=own, day=IN_A_WEEK, numbers=2)
    there = open_schedule(role=lent, day=IN_A_WEEK + timedelta(days=1), numbers=2, **place)
    client.force_login(doctors_account(own))
    why = {"cause": "leave", "reason": "家里有事"}
    days = {"first": str(here.day), "last": str(there.day), "half": ""}

    for sent in (days, {"schedule": [here.pk, there.pk]}):
        for _twice in range(2):
            assert client.post("/my/schedule/", sent | why).status_code == 302
        rows = Suspension.objects.filter(status="requested").order_by("organization")
        assert [row.organization for row in rows] == sorted([home, branch], key=lambda each: each.pk)
        if "schedule" in sent:
            assert [row.schedules for row in rows] == [[here.pk], [there.pk]]
            for row in rows:
                stops.approve(order=row, by=StaffFactory(roles="office"), now=NOW)
        else:
            for row in rows:
                stops.withdraw(order=row, by=row.asked_by, now=NOW)
    assert set(Schedule.objects.values_list("status", flat=True)) == {"stopped"}
