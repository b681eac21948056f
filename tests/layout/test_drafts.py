"""P2: a draft compares the templates with what stands; what is ticked becomes true in one act, nobody silently."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from appointments.errors import DraftDays, DraftDecided
from appointments.models import Appointment, DraftLine, Schedule, ScheduleTemplate, Slot
from appointments.services import booking, drafts, patterns
from hospital.models import AuditEvent, CalendarDay
from tests.factories import NOW, PatientFactory, StaffFactory, TemplateFactory
from tests.layout.scenes import WEEK, changed, make, publish, shown
from tests.supply.scenes import MONDAY, lay_out


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
