"""P2: a draft compares the templates with what stands; what is ticked becomes true in one act, nobody silently."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from appointments import handlers
from appointments.errors import DraftDays, DraftDecided, DraftStale
from appointments.models import (
    Appointment,
    DraftLine,
    Schedule,
    ScheduleTemplate,
    Slot,
    Substitution,
    Suspension,
)
from appointments.services import booking, drafts, patterns
from hospital import clock
from hospital.models import AuditEvent, CalendarDay, Contract, Fact, Message, PatientTime
from tests.factories import (
    NOW,
    PatientFactory,
    RoleFactory,
    RoomFactory,
    StaffFactory,
    TemplateFactory,
    appointment_row,
)
from tests.supply.scenes import MONDAY, lay_out

WEEK = timedelta(days=7)


@pytest.fixture
def office(db):
    return StaffFactory(roles="office")


def make(hospital, office, *, last=MONDAY, department=None):
    return drafts.make(
        organization=hospital, department=department, first_day=MONDAY, last_day=last, by=office, now=NOW
    )


def publish(draft, office, *, take=None):
    if take is not None:
        shown = set(draft.lines.values_list("pk", flat=True))
        drafts.tick(draft=draft, shown=shown, take={line.pk for line in take})
    return drafts.publish(draft=draft, by=office, now=NOW)


def changed(template, office, **changes):
    """A new pattern from Monday on."""
    said = {name: getattr(template, name) for name in patterns.KEPT} | {"effective_from": MONDAY} | changes
    wanted = ScheduleTemplate(organization=template.organization, **said)
    return patterns.change(template=template, wanted=wanted, by=office, now=NOW)


def shown(draft):
    return [(line.action, line.patients, line.take, line.outcome) for line in draft.lines.order_by("day", "pk")]


def book(schedule, number=3):
    row = appointment_row(schedule, PatientFactory(), number=number)
    end = row.start + timedelta(minutes=row.slot.minutes)
    PatientTime.objects.create(patient=row.patient, during=(row.start, end), source="appointment", source_id=row.pk)
    return row


@pytest.mark.django_db
class TestADraft:
    def test_a_new_pattern_is_added_and_counts_from_then_on(self, hospital, office):
        template = TemplateFactory(published_at=None)
        draft = make(hospital, office)
        assert shown(draft) == [("add", 0, True, "")]
        assert Schedule.objects.count() == 0

        done = publish(draft, office)

        assert (done.added, done.numbers) == (1, 16)
        template.refresh_from_db()
        assert template.published_at == NOW
        assert shown(draft) == [("add", 0, True, "done")]
        assert lay_out(hospital, last=MONDAY + WEEK).added == 1  # the nightly job goes on with it
        assert AuditEvent.objects.get(action="draft.published").detail["after"]["added"] == 1

    def test_what_stands_already_is_no_line_and_the_same_draft_is_published_once(self, hospital, office):
        TemplateFactory()
        lay_out(hospital)
        draft = make(hospital, office)
        assert shown(draft) == []

        publish(draft, office)
        with pytest.raises(DraftDecided):
            publish(draft, office)

    def test_a_changed_pattern_lays_unbooked_days_anew(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        new = changed(template, office, numbers=20)
        draft = make(hospital, office)
        (line,) = draft.lines.all()
        assert (line.action, line.differences, line.take) == ("change", [["capacity", "16", "20"]], True)

        publish(draft, office)

        schedule = Schedule.objects.get()
        assert (schedule.template, schedule.capacity, schedule.slots.count()) == (new, 20, 20)

    def test_an_ended_pattern_drops_its_unbooked_days(self, hospital, office):
        template = TemplateFactory()
        lay_out(hospital)
        patterns.end(template=template, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
        draft = make(hospital, office)
        assert shown(draft) == [("drop", 0, True, "")]

        done = publish(draft, office)

        assert (done.dropped, Schedule.objects.count(), Slot.objects.count()) == (1, 0, 0)

    def test_a_day_left_out_stays_out_of_the_nightly_job(self, hospital, office):
        TemplateFactory(published_at=None)
        draft = make(hospital, office, last=MONDAY + WEEK)
        first, second = draft.lines.order_by("day")

        publish(draft, office, take=[second])

        assert shown(draft) == [("add", 0, False, "left"), ("add", 0, True, "done")]
        again = lay_out(hospital, last=MONDAY + 2 * WEEK)
        assert (again.added, again.declined) == (1, 1)
        assert first.day not in Schedule.objects.values_list("day", flat=True)

    def test_a_pattern_of_which_nothing_was_taken_waits_on(self, hospital, office):
        template = TemplateFactory(published_at=None)

        publish(make(hospital, office), office, take=[])

        template.refresh_from_db()
        assert template.published_at is None

    def test_a_holiday_drops_what_nobody_booked(self, hospital, office):
        TemplateFactory()
        lay_out(hospital)
        CalendarDay.objects.create(organization=hospital, day=MONDAY, kind="holiday", name="放假")

        assert shown(make(hospital, office)) == [("drop", 0, True, "")]

    def test_days_that_cannot_be_laid_out_are_refused(self, hospital, office):
        with pytest.raises(DraftDays):
            drafts.make(
                organization=hospital, department=None, first_day=MONDAY - 2 * WEEK, last_day=MONDAY, by=office, now=NOW
            )
        with pytest.raises(DraftDays):
            make(hospital, office, last=MONDAY + timedelta(days=100))

    def test_one_department_is_drafted_without_the_others(self, hospital, office):
        mine, _other = TemplateFactory(published_at=None), TemplateFactory(published_at=None)
        draft = make(hospital, office, department=mine.department)

        publish(draft, office)

        assert Schedule.objects.get().template == mine


@pytest.mark.django_db
class TestPatients:
    def test_another_room_keeps_the_numbers_and_each_patient_is_told(self, hospital, office):
        template = TemplateFactory()
        lay_out(hospital)
        row = book(Schedule.objects.get())
        other = RoomFactory(name="新诊室")
        changed(template, office, room=other)
        draft = make(hospital, office)
        assert shown(draft) == [("change", 1, False, "")]  # not ticked by itself

        done = publish(draft, office, take=list(draft.lines.all()))

        row.refresh_from_db()
        assert (done.changed, done.told) == (1, 1)
        assert (row.schedule.room, row.slot.number, row.status) == (other, 3, "booked")
        assert row.schedule.participants.get().room == other
        handlers.tell_changed(Fact.objects.get(topic="schedule.changed"), NOW)
        message = Message.objects.get(patient=row.patient, channel="sms", template="schedule.changed")
        assert "新诊室" in message.params["place"]

    def test_other_hours_move_number_visit_and_the_patients_time_together(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        row = book(Schedule.objects.get())
        was = row.start
        changed(template, office, starts=time(9), ends=time(13))
        draft = make(hospital, office)

        publish(draft, office, take=list(draft.lines.all()))

        row.refresh_from_db()
        assert row.start == was + timedelta(hours=1) == row.slot.start
        assert PatientTime.objects.get(source_id=row.pk).during.lower == row.start
        assert row.schedule.participants.get().during.lower == clock.at(MONDAY, time(9))
        assert Fact.objects.get(topic="schedule.changed").payload["told"] == [[row.pk, was.isoformat()]]
        shared = row.schedule.allotments.get(pool__kind="counter").shared_from
        assert shared == clock.at(MONDAY, time(9))

    def test_who_is_elsewhere_at_the_new_time_is_not_moved_and_the_line_says_so(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        row = book(Schedule.objects.get())
        noon = clock.at(MONDAY, time(9))
        PatientTime.objects.create(
            patient=row.patient, during=(noon, noon + timedelta(hours=2)), source="exam", source_id=1
        )
        changed(template, office, starts=time(9), ends=time(13))
        draft = make(hospital, office)

        done = publish(draft, office, take=list(draft.lines.all()))

        row.refresh_from_db()
        assert (done.refused, row.start) == (1, clock.at(MONDAY, time(8, 30)))
        assert draft.lines.get().reason == "patient_elsewhere"

    @pytest.mark.parametrize("how", ["numbers", "ended"])
    def test_what_cannot_keep_the_numbers_is_left_to_a_stop(self, hospital, office, how):
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        row = book(Schedule.objects.get())
        if how == "numbers":
            changed(template, office, numbers=20)
        else:
            patterns.end(template=template, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
        draft = make(hospital, office)
        assert draft.lines.get().reason == {"numbers": "numbers_would_change", "ended": "has_patients"}[how]

        done = publish(draft, office, take=list(draft.lines.all()))

        row.refresh_from_db()
        assert (done.refused, row.status, row.schedule.capacity) == (1, "booked", 16)
        assert draft.lines.get().outcome == "refused"

    def test_what_was_left_as_it_is_belongs_to_the_new_pattern_and_is_not_laid_twice(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital, last=MONDAY + WEEK)
        booked = Schedule.objects.order_by("day").first()
        book(booked)
        new = changed(template, office, numbers=20, starts=time(13), ends=time(16))

        publish(make(hospital, office, last=MONDAY + WEEK), office)

        booked.refresh_from_db()
        assert (booked.template, booked.capacity) == (new, 16)
        assert lay_out(hospital, last=MONDAY + WEEK).added == 0

    def test_a_cancelled_history_stays_in_the_books_when_its_day_is_laid_anew(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        old = Schedule.objects.get()
        appointment_row(old, PatientFactory(), status="cancelled", cancelled_at=NOW)
        old.slots.update(status="free")
        changed(template, office, numbers=20)

        publish(make(hospital, office), office)

        old.refresh_from_db()
        assert (old.status, old.template) == ("stopped", None)
        assert Schedule.objects.get(status="open").capacity == 20

    def test_a_stopped_day_stays_stopped_whatever_the_pattern_says_now(self, hospital, office):
        template = TemplateFactory(numbers=16)
        lay_out(hospital, last=MONDAY + WEEK)
        stopped = Schedule.objects.order_by("day").first()
        Schedule.objects.filter(pk=stopped.pk).update(status="stopped")
        stopped.participants.update(active=False)
        new = changed(template, office, numbers=20)
        draft = make(hospital, office, last=MONDAY + WEEK)
        assert [line.day for line in draft.lines.all()] == [MONDAY + WEEK]

        publish(draft, office)

        stopped.refresh_from_db()
        assert (stopped.status, stopped.template) == ("stopped", new)
        assert lay_out(hospital, last=MONDAY + WEEK).added == 0

    def test_a_day_on_which_somebody_else_sits_in_keeps_its_substitute(self, hospital, office):
        """B13: the doctor of the pattern is away that day."""
        template = TemplateFactory(numbers=16)
        lay_out(hospital)
        schedule = Schedule.objects.get()
        order = Suspension.objects.create(
            organization=hospital, status="approved", cause="leave", practitioner=template.role.practitioner,
            first_day=MONDAY, last_day=MONDAY, asked_by=office, asked_at=NOW, decided_at=NOW,
        )  # fmt: skip
        Substitution.objects.create(suspension=order, schedule=schedule, substitute=RoleFactory())
        new = changed(template, office, numbers=20)
        draft = make(hospital, office)
        assert shown(draft) == []

        publish(draft, office)

        schedule.refresh_from_db()
        assert (schedule.template, schedule.capacity) == (new, 16)

    def test_the_nightly_job_waits_where_an_old_pattern_still_stands(self, hospital, office):
        template = TemplateFactory(half="am")
        lay_out(hospital, last=MONDAY + WEEK)
        changed(template, office, half="pm")

        publish(make(hospital, office), office)  # of the first week alone
        later = lay_out(hospital, last=MONDAY + WEEK)

        assert (later.added, later.waiting) == (0, 1)
        assert [row.half for row in Schedule.objects.order_by("day")] == ["pm", "am"]


@pytest.mark.django_db
class TestConflicts:
    def test_a_doctor_in_two_places_and_a_room_taken_twice_are_lines_by_name(self, hospital, office):
        there = TemplateFactory(room=RoomFactory(name="心内1诊室"))
        lay_out(hospital)
        TemplateFactory(role=RoleFactory(practitioner=there.role.practitioner), published_at=None)
        TemplateFactory(room=there.room, starts=time(11), ends=time(13), published_at=None)

        lines = list(make(hospital, office).lines.order_by("pk"))

        assert {line.action for line in lines} == {"conflict"}
        assert {tuple(line.differences[0][:2]) for line in lines} == {
            ("doctor_elsewhere", there.role.practitioner.name),
            ("room_taken", "心内1诊室"),
        }
        assert not any(line.take for line in lines)

    def test_a_contract_that_ends_is_a_conflict_by_name(self, hospital, office):
        """P12."""
        template = TemplateFactory()
        person = template.role.practitioner
        Contract.objects.create(
            practitioner=person, organization=hospital, effective_from=date(2026, 1, 1), effective_to=MONDAY
        )
        lines = list(make(hospital, office, last=MONDAY + WEEK).lines.order_by("day"))

        assert [line.action for line in lines] == ["add", "conflict"]
        assert lines[1].differences == [["outside_contract", person.name, hospital.name]]

    def test_a_line_that_needs_the_place_of_one_left_out_is_refused_by_name(self, hospital, office):
        leaving = TemplateFactory()
        lay_out(hospital)
        patterns.end(template=leaving, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
        TemplateFactory(room=leaving.room, effective_from=MONDAY, published_at=None)
        draft = make(hospital, office)
        assert {line.action for line in draft.lines.all()} == {"add", "drop"}

        done = publish(draft, office, take=list(draft.lines.filter(action="add")))

        assert (done.added, done.refused, Schedule.objects.count()) == (0, 1, 1)
        assert draft.lines.get(action="add").reason == "room_taken"

    def test_a_stale_draft_does_nothing_and_names_what_changed(self, hospital, office):
        TemplateFactory(published_at=None)
        draft = make(hospital, office)
        newcomer = TemplateFactory(published_at=None)

        with pytest.raises(DraftStale, match=newcomer.role.practitioner.name):
            publish(draft, office)
        assert Schedule.objects.count() == 0

    def test_swapped_rooms_without_patients_are_laid_anew(self, hospital, office):
        first, second = TemplateFactory(), TemplateFactory()
        lay_out(hospital)
        one, two = first.room, second.room
        ScheduleTemplate.objects.filter(pk=first.pk).update(room=two)
        ScheduleTemplate.objects.filter(pk=second.pk).update(room=one)
        draft = make(hospital, office)
        assert {line.action for line in draft.lines.all()} == {"change"}

        assert publish(draft, office).changed == 2
        assert Schedule.objects.get(template=first).room == two


@pytest.mark.django_db
def test_a_draft_asks_the_same_number_of_queries_for_two_doctors_and_for_twenty(
    hospital, office, django_assert_max_num_queries
):
    for _n in range(2):
        TemplateFactory(published_at=None)
    with django_assert_max_num_queries(25):
        make(hospital, office)
    for _n in range(20):
        TemplateFactory(published_at=None)
    with django_assert_max_num_queries(25):
        make(hospital, office, last=MONDAY + WEEK)


@pytest.mark.django_db(transaction=True)
def test_a_booking_under_way_while_the_draft_is_published_is_waited_for_and_kept(hospital, monkeypatch):
    """Two connections: the booking holds its number when the publishing comes."""
    office = StaffFactory(roles="office")
    template = TemplateFactory(numbers=16)
    lay_out(hospital)
    schedule = Schedule.objects.get()
    ScheduleTemplate.objects.filter(pk=template.pk).update(active=False)
    draft = make(hospital, office)
    patient, begun = PatientFactory(), Event()

    def book_slowly():
        try:
            with transaction.atomic():
                row = booking.book(
                    schedule=schedule, patient=patient, channel="consult", by=office, request_key="k1", confirmed=True,
                    now=NOW,
                )  # fmt: skip
                begun.set()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(1)")
                return row.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(book_slowly)
        assert begun.wait(10)
        done = drafts.publish(draft=draft, by=office, now=NOW)
        booked = under_way.result()

    assert (done.dropped, done.refused) == (0, 1)
    assert draft.lines.get().reason == "booked_meanwhile"
    assert Appointment.objects.get(pk=booked).status == "booked"
    assert DraftLine.objects.get().outcome == "refused"
