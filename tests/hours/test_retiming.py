"""O8: laid out sessions follow the new hours; booked numbers are re-timed, each patient told once."""

from datetime import date, time, timedelta

import pytest
import time_machine
from django.urls import reverse

from appointments import handlers
from appointments.errors import HoursBegun
from appointments.models import Allotment, Appointment, BulkAct, BulkChange, Schedule, ScheduleParticipant
from appointments.selectors import events
from appointments.services import changes, retiming
from hospital import clock, messages
from hospital.models import AuditEvent, Contract, Fact, HalfDayHours, Message, PatientTime, RoleAssignment
from tests.factories import (
    NOW,
    CampusFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    TemplateFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
DAY = clock.today(NOW) + timedelta(days=28)
EARLY = {"am": (time(7, 30), time(11, 30))}


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def by():
    return StaffFactory(roles="office")


@pytest.fixture(autouse=True)
def hours():
    """08:00–12:00 and 13:30–17:00, since long."""
    for half, starts, ends in (("am", time(8), time(12)), ("pm", time(13, 30), time(17))):
        HalfDayHours.objects.create(
            campus=CampusFactory(), half=half, starts=starts, ends=ends, effective_from=date(2025, 10, 1)
        )


def session(numbers=8, **more) -> Schedule:
    """A laid out morning of the half-day's hours, 30 minutes a number."""
    row = open_schedule(numbers=numbers, minutes=240 // numbers, **more)
    row.template = TemplateFactory(
        role=row.role, room=row.room, weekday=row.day.isoweekday(), half=row.half, numbers=numbers
    )
    row.save()
    return row


def booked(schedule, number=1, **more) -> Appointment:
    row = appointment_row(schedule, more.pop("patient", None) or PatientFactory(), number=number, **more)
    during = (row.start, row.start + timedelta(minutes=row.slot.minutes))
    PatientTime.objects.create(patient=row.patient, during=during, source="appointment", source_id=row.pk)
    return row


def look(by, halves=EARLY, first=DAY - timedelta(days=3), last=None) -> BulkAct:
    wanted = retiming.Wanted(CampusFactory(), halves, first, last, "夏季作息")
    return retiming.look(wanted=wanted, by=by, now=NOW)


def run(by, *args, **kwargs) -> BulkAct:
    act = look(by, *args, **kwargs)
    retiming.start(act=act, by=by, now=NOW)
    retiming.go_on(act=act, now=NOW)
    act.refresh_from_db()
    return act


def walls(schedule) -> list[str]:
    return [f"{one.start.astimezone(clock.ZONE):%H:%M}" for one in schedule.slots.order_by("number")]


def test_a_session_moves_with_its_numbers_bookings_times_sittings_and_openings(by):
    row = session()
    one = booked(row, 3)
    floor = Allotment.objects.get(schedule=row)
    Allotment.objects.filter(pk=floor.pk).update(shared_from=row.starts_at)

    act = run(by)

    assert walls(row) == ["07:30", "08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00"]
    one.refresh_from_db()
    row.refresh_from_db()
    floor.refresh_from_db()
    assert one.start == clock.at(DAY, time(8, 30))
    assert (row.starts_at, row.ends_at) == (clock.at(DAY, time(7, 30)), clock.at(DAY, time(11, 30)))
    during = PatientTime.objects.get().during
    assert (during.lower, during.upper) == (one.start, one.start + timedelta(minutes=30))
    assert ScheduleParticipant.objects.get(schedule=row).during.lower == row.starts_at
    assert floor.shared_from == row.starts_at
    assert HalfDayHours.objects.filter(half="am").order_by("effective_from").last().starts == time(7, 30)
    assert act.undo_until is None  # somebody was told
    assert AuditEvent.objects.get(action="bulk.retimed").detail == {"sessions": 1, "told": 1, "left": 0, "blocked": 0}


def test_each_patient_is_told_once_of_the_old_and_the_new_time(by):
    row = session()
    booked(row, 1)
    booked(row, 2, status="pending")
    run(by)

    fact = Fact.objects.get(topic="schedule.retimed")
    for _again in range(2):
        handlers.tell_retimed(fact, NOW)

    [said] = Message.objects.filter(channel="sms")
    text = messages.wording_of(said).body
    assert "原定12月21日 星期一 08:00的" in text
    assert "改为12月21日 星期一 07:30" in text


def test_who_gave_the_number_back_meanwhile_hears_nothing_of_its_new_time(by):
    row = session()
    one = booked(row, 1)
    run(by)
    changes.cancel(appointment=one, by=None, channel="counter", now=NOW)

    handlers.tell_retimed(Fact.objects.get(topic="schedule.retimed"), NOW)

    assert not Message.objects.exists()


def test_the_houses_other_systems_hear_of_the_new_minutes(by):
    """O1."""
    row = session()
    one = booked(row, 2)
    run(by)
    fact = Fact.objects.get(topic="schedule.retimed")
    told = events.data_of(fact)
    assert (told["schedule"], told["appointments"]) == (
        row.pk,
        [{"appointment": one.pk, "start": "2026-12-21T08:00:00+08:00"}],
    )
    assert events.organization_of(fact) == row.organization_id


def test_own_hours_stopped_sessions_other_campuses_and_other_days_stay(by):
    own, stopped, elsewhere, before = session(), session(), session(), session(day=DAY - timedelta(days=7))
    own.template.starts, own.template.ends = time(8), time(12)
    own.template.save()
    loose = open_schedule()  # outside the templates
    Schedule.objects.filter(pk=stopped.pk).update(status="stopped")
    Schedule.objects.filter(pk=elsewhere.pk).update(campus=CampusFactory(code="C2"))

    act = look(by)

    assert act.schedules == []
    assert {loose.pk, before.pk}.isdisjoint(act.schedules)


def test_a_slice_length_of_its_own_is_kept(by):
    row = session(numbers=6)
    Schedule.objects.filter(pk=row.pk).update(minutes=10)
    run(by)
    assert walls(row)[:3] == ["07:30", "07:40", "07:50"]


def test_whoever_is_elsewhere_at_the_new_time_stays_and_is_listed(by):
    row = session()
    busy, free = booked(row, 3), booked(row, 4)
    exam = (clock.at(DAY, time(8, 30)), clock.at(DAY, time(8, 45)))
    PatientTime.objects.create(patient=busy.patient, during=exam, source="exam", source_id=1)

    act = look(by)
    assert (act.effect["left"], act.effect["messages"]) == ([busy.pk], [["就诊时间调整", 1]])
    retiming.start(act=act, by=by, now=NOW)
    retiming.go_on(act=act, now=NOW)

    assert walls(row) == ["07:30", "08:00", "09:00", "09:00", "09:30", "10:00", "10:30", "11:00"]
    busy.refresh_from_db()
    assert busy.start == clock.at(DAY, time(9))
    outcome = retiming.outcome_of(BulkAct.objects.get(pk=act.pk))
    assert (outcome.left, outcome.told) == ([busy], 1)
    free.refresh_from_db()
    assert free.start == clock.at(DAY, time(9))


def test_two_visits_of_one_patient_move_past_each_other(by):
    """The first one's new time is the second one's old: it waits for it."""
    patient = PatientFactory()
    first, second = session(), session()
    later = booked(first, 2, patient=patient)
    earlier = booked(second, 1, patient=patient)

    act = run(by)

    assert retiming.outcome_of(act).left == []
    assert [row.start for row in Appointment.objects.order_by("start")] == [
        clock.at(DAY, time(7, 30)), clock.at(DAY, time(8)),
    ]  # fmt: skip
    assert {later.pk, earlier.pk} == set(Appointment.objects.values_list("pk", flat=True))


def test_sessions_that_follow_each_other_wait_for_each_other(by):
    """The morning's longer hours end after the afternoon's old beginning."""
    morning = session()
    afternoon = session(
        role=morning.role, room=morning.room, half="pm", starts_at=clock.at(DAY, time(13, 30)),
        ends_at=clock.at(DAY, time(17, 30)),
    )  # fmt: skip

    act = run(by, {"am": (time(9), time(14)), "pm": (time(14, 30), time(18, 30))})

    assert retiming.outcome_of(act).blocked == []
    assert walls(afternoon)[0] == "14:30"


def test_other_hours_of_a_day_ask_nobody_for_a_contract(by):
    """P12: which days a contract covers is asked when somebody is seated, not when the same sitting begins earlier."""
    row = session()
    house = {"practitioner": row.role.practitioner, "organization": row.organization}
    Contract.objects.create(**house, effective_from=date(2020, 1, 1), effective_to=row.day - timedelta(days=1))

    assert retiming.outcome_of(run(by)).blocked == []
    assert walls(row)[0] == "07:30"


def test_what_does_not_fit_stays_and_says_why(by):
    full, taken = session(numbers=120), session()
    open_schedule(role=taken.role, starts_at=clock.at(DAY, time(7)), ends_at=clock.at(DAY, time(8)))

    act = look(by, {"am": (time(7, 30), time(9))})
    assert dict(act.effect["blocked"]) == {full.pk: "too_many_numbers", taken.pk: "doctor_elsewhere"}
    retiming.start(act=act, by=by, now=NOW)
    retiming.go_on(act=act, now=NOW)

    codes = {row.pk: code for row, code in retiming.outcome_of(BulkAct.objects.get(pk=act.pk)).blocked}
    assert codes == {full.pk: "too_many_numbers", taken.pk: "doctor_elsewhere"}
    assert walls(taken)[0] == "08:00"


def test_a_worker_that_dies_is_followed_by_one_that_tells_nobody_twice(by, monkeypatch):
    rows = [session() for _ in range(3)]
    for row in rows:
        booked(row)
    act = look(by)
    retiming.start(act=act, by=by, now=NOW)
    retiming.go_on(act=act, now=NOW, limit=1)
    with monkeypatch.context() as torn:  # dies in the middle of the second: nothing of it stays
        torn.setattr(
            "appointments.services.retiming.moving.publish", lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            retiming.go_on(act=act, now=NOW)
    assert BulkChange.objects.count() == 1

    retiming.continue_all(now=NOW)

    assert [walls(row)[0] for row in rows] == ["07:30"] * 3
    assert Fact.objects.filter(topic="schedule.retimed").count() == 3
    assert not BulkAct.objects.get().params["running"]


def test_a_look_that_no_longer_holds_is_refused(client, by):
    act = look(by)
    session()
    client.force_login(by)
    page = client.post(reverse("appointments:office_retime_start", args=[act.pk]), follow=True).content.decode()
    assert "上次查看以后，排班或作息时间变了，所以没有执行。" in page
    assert HalfDayHours.objects.filter(half="am").count() == 1


def test_what_should_begin_today_or_before_is_not_begun(by):
    act = look(by, first=clock.today(NOW) + timedelta(days=1))
    with pytest.raises(HoursBegun):
        retiming.start(act=act, by=by, now=NOW + timedelta(days=1))


def test_it_is_taken_back_within_ten_minutes_when_nobody_was_told(by):
    row = session()
    act = run(by)
    assert (act.undo_until, walls(row)[0]) == (NOW + timedelta(minutes=10), "07:30")

    back = retiming.undo(act=act, by=by, now=NOW + timedelta(minutes=9))
    retiming.go_on(act=back, now=NOW)

    assert walls(row)[0] == "08:00"
    assert [(one.starts, one.effective_to) for one in HalfDayHours.objects.filter(half="am")] == [(time(8), None)]
    act.refresh_from_db()
    assert act.status == "undone"


@pytest.fixture
def send(client, by):
    client.force_login(by)

    def post(**said):
        data = {
            "campus": CampusFactory().pk, "first": DAY - timedelta(days=3), "am_starts": "07:30", "am_ends": "11:30",
            "reason": "夏季作息",
        }  # fmt: skip
        return client.post(reverse("appointments:office_hours"), data | said, follow=True)

    return post


def test_the_page_walks_from_the_form_to_the_patients_to_call(client, send):
    row = session()
    busy = booked(row, 3)
    exam = (clock.at(DAY, time(8, 30)), clock.at(DAY, time(8, 45)))
    PatientTime.objects.create(patient=busy.patient, during=exam, source="exam", source_id=1)
    page = send().content.decode()
    assert "确认调整" in page
    assert "会留在原来时间的患者" in page
    assert busy.patient.name not in page
    act = BulkAct.objects.get()

    client.post(reverse("appointments:office_retime_start", args=[act.pk]))
    retiming.go_on(act=act, now=NOW)

    page = client.get(reverse("appointments:office_retime", args=[act.pk])).content.decode()
    assert "请电话联系的患者" in page
    assert "every 3s" not in page
    assert "07:30–11:30" in client.get(reverse("appointments:office_hours")).content.decode()
    assert client.get(reverse("appointments:office_act", args=[act.pk])).status_code == 302


WRONG = [
    ({"first": clock.today(NOW)}, "最早从明天起"),
    ({"last": clock.today(NOW)}, "不能早于开始的那天。"),
    ({"am_ends": ""}, "开始和结束要一起填。"),
    ({"am_ends": "07:00"}, "结束要晚于开始"),
    ({"am_starts": "", "am_ends": ""}, "请至少填一个半天的时间"),
    ({"pm_starts": "11:00", "pm_ends": "15:00"}, "和前一个半天重叠。"),
    ({"am_starts": "08:00", "am_ends": "14:00"}, "重叠。请改时间，或一起填那个半天。"),
    ({"am_starts": "08:00", "am_ends": "12:00"}, "没有要改的。"),
    ({"am_starts": "八点"}, "时间"),
    ({"reason": " "}, "id_reason_error"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_wrong_hours_are_said_beside_the_field_and_what_was_typed_is_kept(send, said, words):
    answer = send(**said)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert ('value="夏季作息"' in page) == ("reason" not in said)
    assert not BulkAct.objects.exists()


def test_one_departments_office_and_readers_change_no_hours(client, by):
    act = look(by)
    clerk = UserFactory()
    department = DepartmentFactory()
    RoleAssignment.objects.create(user=clerk, role="office", organization=OrganizationFactory(), department=department)
    for user, status in ((clerk, 403), (StaffFactory(roles="auditor"), 403)):
        client.force_login(user)
        assert "看看影响" not in client.get(reverse("appointments:office_hours")).content.decode()
        assert client.post(reverse("appointments:office_retime_start", args=[act.pk])).status_code == status
        assert client.post(reverse("appointments:office_hours"), {}).status_code == 403
    assert BulkAct.objects.get().status == "previewed"


@pytest.mark.parametrize("hours", [(time(7, 30), time(11, 30)), (time(8, 30), time(12, 30))])
def test_neighbouring_numbers_of_one_patient_move_together(by, hours):
    """O8: each one's new time is the other's old, forwards as backwards."""
    row, patient = session(), PatientFactory()
    for number in (3, 1, 2, 4):
        booked(row, number, patient=patient, channel="counter", self_service=False)

    act = run(by, {"am": hours})

    assert retiming.outcome_of(act).left == []
    assert [one.start for one in Appointment.objects.order_by("start")] == [
        clock.at(DAY, hours[0]) + n * timedelta(minutes=30) for n in range(4)
    ]
    kept = sorted((one.source_id, one.during.lower) for one in PatientTime.objects.all())
    assert kept == sorted(Appointment.objects.values_list("pk", "start"))
    assert not act.params["running"]


def test_a_number_stays_when_the_one_before_it_must_stay(by):
    """O8: the first one's patient is at an exam then; the second's new time is the first one's old."""
    row, patient = session(), PatientFactory()
    first, second = (booked(row, number, patient=patient, channel="counter", self_service=False) for number in (1, 2))
    busy = (clock.at(DAY, time(7, 30)), clock.at(DAY, time(8)))
    PatientTime.objects.create(patient=patient, during=busy, source="exam", source_id=1)

    act = run(by)

    assert {one.pk for one in retiming.outcome_of(act).left} == {first.pk, second.pk}
