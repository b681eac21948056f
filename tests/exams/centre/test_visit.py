"""检查当天: each verb, what it writes, and who may not (E5)."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta

import pytest
from django.db import connection

from exams import errors
from exams.models import ExamBooking, ExamNoShow, ScreeningAnswer, ScreeningQuestion
from exams.selectors import rooms, standing
from exams.services import noshow, visit
from hospital.models import AuditEvent, Fact, PatientTime
from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    PractitionerFactory,
    UserFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

Status = ExamBooking.Status
MINUTE = timedelta(minutes=1)


@pytest.fixture
def nurse():
    return UserFactory()


@pytest.fixture
def session():
    variant = exam_variant()
    return device_session(open_device(variant, days=()), day=TODAY)


def booked(session, *, start=NOW, **more):
    return exam_booking_row(session=session, start=start, **more)


def arrived(session, *, start=NOW, came=-10, **more):
    return booked(session, start=start, status="arrived", checked_in_at=NOW + came * MINUTE, **more)


def question(row, *, effect, code="pregnant", **more):
    """Asked of everybody; "yes" has this effect."""
    asked = ScreeningQuestion.objects.create(
        organization=row.request.organization,
        code=code,
        text="是否怀孕？",
        source="院内规定",
        approved_by=UserFactory(),
        approved_at=NOW,
        **more,
    )
    ScreeningAnswer.objects.create(question=asked, code="no", text="没有", effect="ok")
    ScreeningAnswer.objects.create(question=asked, code="yes", text="有", effect=effect, sentence="先请医生评估。")
    return asked


def facts(row):
    return list(Fact.objects.filter(key=f"exam:{row.pk}").order_by("pk").values_list("topic", flat=True))


def test_a_patient_goes_through_the_day_and_the_request_is_done(session, nurse):
    """E5: every moment is kept and told once."""
    row = booked(session)

    visit.check_in(booking=row, answers={}, by=nurse, now=NOW)
    visit.call(booking=row, by=nurse, now=NOW + MINUTE)
    visit.start(booking=row, by=nurse, now=NOW + 2 * MINUTE)
    visit.start(booking=row, by=nurse, now=NOW + 3 * MINUTE)
    visit.finish(booking=row, by=nurse, now=NOW + 20 * MINUTE)
    visit.finish(booking=row, by=nurse, now=NOW + 21 * MINUTE)

    row.refresh_from_db()
    moments = (row.checked_in_at, row.called_at, row.started_at, row.finished_at)
    assert moments == (NOW, NOW + MINUTE, NOW + 2 * MINUTE, NOW + 20 * MINUTE)
    assert (row.status, row.request.status, row.request.ended_at) == ("done", "done", NOW + 20 * MINUTE)
    assert facts(row) == ["exam.checked_in", "exam.called", "exam.started", "exam.done"]
    assert PatientTime.objects.filter(source="exam", source_id=row.pk).exists()


def test_a_second_check_in_is_the_same_and_the_first_moment_stays(session, nurse):
    row = booked(session)
    visit.check_in(booking=row, answers={}, by=nurse, now=NOW)
    visit.check_in(booking=row, answers={}, by=nurse, now=NOW + MINUTE)

    row.refresh_from_db()
    assert row.checked_in_at == NOW
    assert facts(row) == ["exam.checked_in"]


def test_the_questions_are_asked_again_and_none_may_be_left_open(session, nurse):
    """E4, E5: what was said weeks ago does not count."""
    row = booked(session)
    question(row, effect="refuse")
    row.request.answers = {"pregnant": "no"}
    row.request.save()

    with pytest.raises(errors.AskAgain, match="怀孕") as refusal:
        visit.check_in(booking=row, answers={}, by=nurse, now=NOW)

    assert refusal.value.status == 422
    visit.check_in(booking=row, answers={"pregnant": "no"}, by=nurse, now=NOW)
    row.refresh_from_db()
    assert (row.status, row.answers) == ("arrived", {"pregnant": "no"})


@pytest.mark.parametrize("effect", ["refuse", "check"])
def test_an_answer_that_stops_the_exam_stops_the_check_in(session, nurse, effect):
    row = booked(session)
    question(row, effect=effect)

    with pytest.raises(errors.CannotBeExamined, match="先请医生评估"):
        visit.check_in(booking=row, answers={"pregnant": "yes"}, by=nurse, now=NOW)

    row.refresh_from_db()
    assert (row.status, row.answers) == ("booked", {})


def test_a_doctors_word_with_a_reason_lets_it_go_on_and_leaves_a_trace(session, nurse):
    """E5: who, why, against which answer."""
    row, doctor = booked(session), PractitionerFactory()
    question(row, effect="check")
    said = {"booking": row, "answers": {"pregnant": "yes"}, "by": nurse, "now": NOW}

    with pytest.raises(errors.CannotBeExamined):
        visit.check_in(**said, override="  ", override_by=doctor)
    with pytest.raises(errors.CannotBeExamined):
        visit.check_in(**said, override="急诊需要", override_by=None)
    visit.check_in(**said, override="急诊需要", override_by=doctor)

    row.refresh_from_db()
    assert (row.status, row.override, row.override_by) == ("arrived", "急诊需要", doctor)
    trace = AuditEvent.objects.get(action="exam.checked_in_against_an_answer")
    assert trace.detail == {"questions": ["pregnant"], "doctor": doctor.pk, "why": "急诊需要"}  # answers: on the exam


def test_what_was_seen_to_before_booking_does_not_stop_the_patient_again(session, nurse):
    """E4: the same answer "needs a check first" was cleared when the exam was booked; a refusal never is."""
    row = booked(session)
    question(row, effect="check")
    question(row, effect="refuse", code="pacemaker")
    row.request.answers = {"pregnant": "yes", "pacemaker": "yes"}
    row.request.save()

    refused = {"booking": row, "answers": {"pregnant": "yes", "pacemaker": "yes"}, "by": nurse, "now": NOW}
    with pytest.raises(errors.NeverExamined):
        visit.check_in(**refused)
    with pytest.raises(errors.NeverExamined):  # nor by a doctor's name that somebody types
        visit.check_in(**refused, override="急诊需要", override_by=PractitionerFactory())
    visit.check_in(booking=row, answers={"pregnant": "yes", "pacemaker": "no"}, by=nurse, now=NOW)


def test_an_undone_check_in_leaves_a_booked_exam_as_if_nobody_had_come(session, nurse):
    for act in (None, visit.call):
        row = booked(session, start=NOW + (30 * MINUTE if act else 0 * MINUTE))
        visit.check_in(booking=row, answers={}, by=nurse, now=NOW, priority=1)
        if act:
            act(booking=row, by=nurse, now=NOW)
        visit.undo_check_in(booking=row, by=nurse, now=NOW + MINUTE)

        row.refresh_from_db()
        assert (row.status, row.checked_in_at, row.called_at, row.calls, row.priority) == ("booked", None, None, 0, 0)


def test_who_is_called_and_does_not_come_waits_behind_those_who_are_due(session, nurse):
    first, second = arrived(session), arrived(session, start=NOW + 20 * MINUTE)
    visit.call_next(device=session.device, by=nurse, now=NOW)
    visit.pass_over(booking=first, by=nurse, now=NOW + 25 * MINUTE)

    assert visit.call_next(device=session.device, by=nurse, now=NOW + 26 * MINUTE) == second


def test_one_patient_on_a_device(session, nurse):
    """E5: the database refuses the second."""
    first, second = arrived(session), arrived(session, start=NOW + 20 * MINUTE)
    visit.start(booking=first, by=nurse, now=NOW)

    with pytest.raises(errors.DeviceBusy, match="彩超"):
        visit.start(booking=second, by=nurse, now=NOW)

    visit.finish(booking=first, by=nurse, now=NOW + MINUTE)
    visit.start(booking=second, by=nurse, now=NOW + MINUTE)
    second.refresh_from_db()
    assert (second.status, second.calls) == ("running", 1)  # walking straight in is the call


@pytest.mark.parametrize("state", ["booked", "arrived", "called", "running"])
def test_an_exam_not_done_frees_both_times_and_puts_the_request_back_on_the_list(session, nurse, state):
    """E5: with the reason, from every state before its end."""
    more = {"checked_in_at": NOW, "called_at": NOW} if state != "booked" else {}
    row = booked(session, status=state, started_at=NOW if state == "running" else None, **more)

    with pytest.raises(errors.ReasonMissing):
        visit.not_done(booking=row, reason="  ", by=nurse, now=NOW)
    visit.not_done(booking=row, reason="没有空腹", by=nurse, now=NOW)
    visit.not_done(booking=row, reason="没有空腹", by=nurse, now=NOW)

    row.refresh_from_db()
    assert (row.status, row.holds, row.note, row.ended_at) == ("not_done", False, "没有空腹", NOW)
    assert (row.request.status, row.request.note) == ("open", "没有空腹")
    assert not PatientTime.objects.exists()
    assert facts(row) == ["exam.not_done"]


VERBS = {
    "check_in": lambda row, by: visit.check_in(booking=row, answers={}, by=by, now=NOW),
    "undo": lambda row, by: visit.undo_check_in(booking=row, by=by, now=NOW),
    "call": lambda row, by: visit.call(booking=row, by=by, now=NOW),
    "pass": lambda row, by: visit.pass_over(booking=row, by=by, now=NOW),
    "start": lambda row, by: visit.start(booking=row, by=by, now=NOW),
    "finish": lambda row, by: visit.finish(booking=row, by=by, now=NOW),
    "not_done": lambda row, by: visit.not_done(booking=row, reason="设备故障", by=by, now=NOW),
}
AGAIN = {"check_in": "arrived", "undo": "booked", "call": "called", "start": "running", "not_done": "not_done"}
LEADS_TO = {
    "booked": {"check_in": "arrived", "not_done": "not_done"},
    "arrived": AGAIN,
    "called": {**AGAIN, "check_in": "called", "pass": "arrived"},
    "running": {"start": "running", "finish": "done", "not_done": "not_done"},
    "done": {"finish": "done"},
    "not_done": {"not_done": "not_done"},
}


@pytest.mark.parametrize("state", Status.values)
def test_every_verb_in_every_state_moves_as_drawn_or_refuses(nurse, state):
    """E5: 9 states × 7 verbs; PostgreSQL's own table of moves agrees."""
    came = {"checked_in_at": NOW, "called_at": NOW, "started_at": NOW, "finished_at": NOW}
    over = {"ended_at": NOW, "holds": False, "note": "…"} if state in ExamBooking.OVER else {}
    led = {}
    for verb, act in VERBS.items():
        row = exam_booking_row(
            session=device_session(open_device(days=()), day=TODAY), start=NOW, status=state, **came, **over
        )
        with contextlib.suppress(errors.NotInQueue):
            act(row, nurse)
            row.refresh_from_db()
            led[verb] = row.status

    assert led == LEADS_TO.get(state, {})


def test_the_next_is_called_once_however_often_the_key_is_pressed(session, nurse):
    """E5: the page says whom it showed; a second press of the same key calls nobody else and not again."""
    first, _second = arrived(session), arrived(session, start=NOW + 20 * MINUTE)

    for _press in range(2):
        assert visit.call_next(device=session.device, by=nurse, now=NOW, seen=0) == first
    first.refresh_from_db()
    assert first.calls == 1

    visit.call_next(device=session.device, by=nurse, now=NOW, seen=first.pk)  # 再叫
    first.refresh_from_db()
    assert first.calls == 2


@pytest.mark.django_db(transaction=True)
def test_two_nurses_press_at_once_and_one_patient_is_called():
    """E5: never two patients for one device."""
    nurse, session = UserFactory(), device_session(open_device(days=()), day=TODAY)
    for place in range(4):
        arrived(session, start=NOW + 20 * place * MINUTE)

    def press(_n):
        try:
            return visit.call_next(device=session.device, by=nurse, now=NOW, seen=0).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as nurses:
        called = set(nurses.map(press, range(6)))

    assert len(called) == 1
    assert list(ExamBooking.objects.filter(status="called").values_list("calls", flat=True)) == [1]


def test_who_is_in_one_room_is_not_called_to_another(session, nurse):
    """E5: several exams of one morning, checked in together; the other room goes on with the one after them."""
    here = arrived(session)
    scan = exam_variant()
    next_door = device_session(open_device(scan, days=(), name="CT 1"), day=TODAY)
    request = ExamRequestFactory(patient=here.patient, variant=scan)
    also = arrived(next_door, start=NOW + 30 * MINUTE, request=request)
    after = arrived(next_door, start=NOW + 60 * MINUTE)
    visit.call(booking=here, by=nurse, now=NOW)

    for act in (visit.call, visit.start):
        with pytest.raises(errors.PatientElsewhere, match="彩超"):
            act(booking=also, by=nurse, now=NOW)
    assert visit.call_next(device=next_door.device, by=nurse, now=NOW) == after

    visit.start(booking=here, by=nurse, now=NOW)
    visit.finish(booking=here, by=nurse, now=NOW)
    visit.pass_over(booking=after, by=nurse, now=NOW + 90 * MINUTE)
    assert visit.call_next(device=next_door.device, by=nurse, now=NOW + 90 * MINUTE) == also


def test_nobody_waiting_means_nobody_called(session, nurse):
    booked(session)

    assert visit.call_next(device=session.device, by=nurse, now=NOW) is None


# ---- 爽约 ----


def test_who_is_too_late_is_marked_once_and_their_time_is_free(session):
    """E5: at the moment the rule says, not before; a second run does nothing."""
    row = booked(session)
    in_time = booked(session, start=NOW + 20 * MINUTE)

    assert noshow.mark(now=NOW + 59 * MINUTE) == 0
    assert noshow.mark(now=NOW + 60 * MINUTE) == 1
    assert noshow.mark(now=NOW + 60 * MINUTE) == 0

    row.refresh_from_db(), in_time.refresh_from_db()
    assert (row.status, row.holds, row.request.status, row.request.note) == ("noshow", False, "open", "爽约")
    assert in_time.status == "booked"
    assert ExamNoShow.objects.get().booking == row
    assert facts(row) == ["exam.noshow"]


def test_whom_the_house_let_down_or_who_is_here_is_no_no_show(session):
    """E5: the device is down; checked in; without a booked time."""
    booked(session, holds=False)
    arrived(session, start=NOW + 20 * MINUTE)
    booked(session, start=NOW + 40 * MINUTE, walk_in=True)

    assert noshow.mark(now=NOW + timedelta(hours=9)) == 0
    assert not ExamNoShow.objects.exists()


def test_who_was_checked_in_and_forgotten_comes_back_to_the_list_the_next_day(session):
    row = arrived(session)

    noshow.mark(now=NOW + timedelta(hours=12))
    row.refresh_from_db()
    assert row.status == "arrived"

    noshow.mark(now=NOW + timedelta(hours=13))
    row.refresh_from_db()
    assert (row.status, row.request.status) == ("not_done", "open")


def test_a_night_exam_is_missed_after_midnight():
    """E5: 23:50 at the hospital, late until 00:50 of the next day."""
    night = device_session(open_device(days=()), day=TODAY, starts=time(20), ends=time(23, 59))
    row = booked(night, start=NOW.replace(hour=15, minute=35))

    assert noshow.mark(now=NOW.replace(hour=16, minute=34)) == 0
    assert noshow.mark(now=NOW.replace(hour=16, minute=35)) == 1
    row.refresh_from_db()
    assert (row.status, row.no_show.day) == ("noshow", TODAY)


def no_show(patient, item, *, days_ago):
    moment = NOW - timedelta(days=days_ago)
    request = ExamRequestFactory(patient=patient, variant=item.variants.first() or exam_variant(item=item))
    row = exam_booking_row(request=request, status="noshow", holds=False, ended_at=moment, day=moment.date())
    return ExamNoShow.objects.create(booking=row, patient=patient, day=row.day, marked_at=moment)


def test_three_no_shows_close_self_service_and_an_excuse_opens_it_again(nurse):
    """E5: ExamsSuspended says until when and where to go instead."""
    patient, item = PatientFactory(), ExamItemFactory()
    rows = [no_show(patient, item, days_ago=ago) for ago in (20, 10, 1)]
    house = item.organization_id

    refusal = standing.refusal_to_book_alone(patient.pk, house, now=NOW)
    assert refusal.in_full == ("因多次预约检查未到，自助预约检查暂停到2026-12-22 10:00。可在诊间或检查预约中心预约。")
    assert standing.refusal_to_book_alone(PatientFactory().pk, house, now=NOW) is None

    with pytest.raises(errors.ReasonMissing):
        noshow.excuse(noshow=rows[1], reason=" ", by=nurse, now=NOW)
    noshow.excuse(noshow=rows[1], reason="当天住院", by=nurse, now=NOW)
    noshow.excuse(noshow=rows[1], reason="再点一次", by=nurse, now=NOW)

    assert standing.refusal_to_book_alone(patient.pk, house, now=NOW) is None
    assert AuditEvent.objects.get(action="exam.noshow_excused").detail == {"why": "当天住院"}


def test_a_device_queue_is_read_in_one_query_however_long(session, django_assert_num_queries):
    for place in range(6):
        arrived(session, start=NOW + 20 * place * MINUTE)

    with django_assert_num_queries(1):
        queue = rooms.queues_of([session.device], day=TODAY)[session.device.pk]
        assert [(row.patient.name, row.variant.name) for row in queue.waiting][5:]
