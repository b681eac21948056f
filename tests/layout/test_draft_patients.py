"""P2: whom a draft touches. Patients keep their number or the line says why not; nobody is moved silently."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments import handlers
from appointments.models import Schedule, Substitution, Suspension
from appointments.services import patterns
from hospital import clock
from hospital.models import Fact, Message, PatientTime
from tests.factories import NOW, PatientFactory, RoleFactory, RoomFactory, TemplateFactory, appointment_row
from tests.layout.scenes import WEEK, book, changed, make, publish, shown
from tests.supply.scenes import MONDAY, lay_out
from tests.waitlist.rows import entry


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

    def test_what_somebody_waited_for_stays_in_the_books_when_it_goes(self, hospital, office):
        """Its patients moved on, and left no booking behind."""
        template = TemplateFactory()
        lay_out(hospital)
        old = Schedule.objects.get()
        entry(schedule=old, status="ended", why="cutoff", ended_at=NOW)
        patterns.end(template=template, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
        draft = make(hospital, office)

        publish(draft, office, take=list(draft.lines.all()))

        assert Schedule.objects.get(pk=old.pk).status == "stopped"

    def test_all_patients_are_locked_at_once_before_any_clinic_is_retired(self, hospital, office):
        """Of what goes and of what moves: one clinic after the other would wait out of order."""
        going, moving = TemplateFactory(numbers=16), TemplateFactory()
        lay_out(hospital)
        old = Schedule.objects.get(template=going)
        appointment_row(old, PatientFactory(), status="cancelled", cancelled_at=NOW)
        old.slots.update(status="free")
        book(Schedule.objects.get(template=moving))
        changed(going, office, numbers=20)
        changed(moving, office, room=RoomFactory(name="新诊室"))
        draft = make(hospital, office)

        with CaptureQueriesContext(connection) as asked:
            done = publish(draft, office, take=list(draft.lines.all()))

        assert done.changed == 2
        told = [query["sql"] for query in asked]
        [locked] = [n for n, sql in enumerate(told) if "hospital_patient" in sql and "FOR NO KEY UPDATE" in sql]
        assert locked < next(n for n, sql in enumerate(told) if sql.startswith('UPDATE "appointments_schedule"'))

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
