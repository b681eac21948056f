"""P2: a draft compares the templates with what stands; what is ticked becomes true in one act, nobody silently."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from appointments.errors import DraftDays, DraftDecided
from appointments.models import Appointment, DraftLine, Schedule, ScheduleTemplate, Slot
from appointments.services import booking, drafts, patterns
from appointments.services.drafts import days
from hospital.models import AuditEvent, CalendarDay, Fact
from tests.factories import NOW, PatientFactory, RoomFactory, StaffFactory, TemplateFactory
from tests.layout.scenes import WEEK, book, changed, make, publish, shown
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


@pytest.mark.django_db
class TestDayByDay:
    """A whole house is published some days at a time; whoever dies is followed by one that goes on."""

    @pytest.fixture(autouse=True)
    def _one_day_at_a_time(self, monkeypatch):
        monkeypatch.setattr("appointments.services.drafts.publishing.LINES_AT_ONCE", 1)

    def test_a_request_does_what_it_has_time_for_and_a_worker_the_rest(self, hospital, office):
        template = TemplateFactory(published_at=None)
        draft = make(hospital, office, last=MONDAY + WEEK)

        half = drafts.publish(draft=draft, by=office, now=NOW, seconds=-1)

        assert (half.status, half.result["added"]) == ("publishing", 0)
        with pytest.raises(DraftDecided):
            drafts.discard(draft=draft, by=office, now=NOW)
        assert lay_out(hospital, last=MONDAY + WEEK).added == 0  # nobody else lays it out meanwhile
        drafts.continue_all(now=NOW)
        draft.refresh_from_db()
        template.refresh_from_db()
        assert (draft.status, draft.result["added"], template.published_at) == ("published", 2, NOW)

    def test_a_worker_that_dies_leaves_whole_days_and_tells_nobody_twice(self, hospital, office, monkeypatch):
        template = TemplateFactory()
        lay_out(hospital, last=MONDAY + WEEK)
        for schedule in Schedule.objects.all():
            book(schedule)
        changed(template, office, room=RoomFactory(name="新诊室"))
        draft = make(hospital, office, last=MONDAY + WEEK)
        draft.lines.update(take=True)
        with monkeypatch.context() as torn:
            kept = iter([days._keep])
            torn.setattr(days, "_keep", lambda *said: next(kept)(*said))  # the second day has no ending
            with pytest.raises(StopIteration):
                drafts.publish(draft=draft, by=office, now=NOW)
        assert [row.room.name == "新诊室" for row in Schedule.objects.order_by("day")] == [True, False]
        assert shown(draft) == [("change", 1, True, "done"), ("change", 1, True, "")]

        drafts.continue_all(now=NOW)

        draft.refresh_from_db()
        assert (draft.status, draft.result["changed"], draft.result["told"]) == ("published", 2, 2)
        assert Fact.objects.filter(topic="schedule.changed").count() == 2

    def test_a_whole_houses_draft_that_is_stale_comes_back_from_the_worker_to_be_looked_at(
        self, hospital, office, monkeypatch
    ):
        monkeypatch.setattr("appointments.services.drafts.publishing.LOOKED_AT_IN_A_REQUEST", 0)
        TemplateFactory(published_at=None)
        draft = make(hospital, office)
        newcomer = TemplateFactory(published_at=None)
        assert drafts.publish(draft=draft, by=office, now=NOW).status == "publishing"

        drafts.continue_all(now=NOW)

        draft.refresh_from_db()
        assert (draft.status, draft.decided_by, Schedule.objects.count()) == ("draft", None, 0)
        assert newcomer.role.practitioner.name in draft.result["stale"]
        assert draft.lines.get(template=newcomer).reason == "found_since"
        drafts.publish(draft=draft, by=office, now=NOW)
        drafts.continue_all(now=NOW)
        draft.refresh_from_db()
        assert (draft.status, draft.result["added"]) == ("published", 1)

    def test_a_pattern_that_is_changed_again_meanwhile_waits_for_the_next_draft(self, hospital, office):
        """Its days are as they were ticked, or are left; what nobody looked at does not count."""
        template = TemplateFactory(published_at=None)
        draft = make(hospital, office, last=MONDAY + WEEK)
        drafts.publish(draft=draft, by=office, now=NOW, seconds=-1)
        ScheduleTemplate.objects.filter(pk=template.pk).update(numbers=20)

        drafts.continue_all(now=NOW)

        template.refresh_from_db()
        assert {line.reason for line in draft.lines.all()} == {"changed_since"}
        assert (Schedule.objects.count(), template.published_at) == (0, None)


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

    assert (done.result["dropped"], done.result["refused"]) == (0, 1)
    assert draft.lines.get().reason == "booked_meanwhile"
    assert Appointment.objects.get(pk=booked).status == "booked"
    assert DraftLine.objects.get().outcome == "refused"
