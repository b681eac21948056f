"""The three answers (B13): by link, by account, late, twice, from two phones, after an undo; and who never answers."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from appointments.errors import AlreadyAnswered, NoLongerOffered, QuestionOver, SoldOut
from appointments.models import Appointment, JobRun, StopCase
from appointments.selectors.stops import board, elsewhere
from appointments.services import booking, changes, stops, supply, visit
from appointments.services.stops import cases
from hospital import masking
from hospital.cache import ForgivingRedisCache
from hospital.models import Fact, Message, PriceItem
from tests.booking.acts import take
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    RelatedPersonFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .scenes import IN_A_WEEK, case_of, doctor, link_of, session, stop, substitute, told, work

pytestmark = pytest.mark.django_db
LATER = IN_A_WEEK + timedelta(days=2)


@pytest.fixture
def scene():
    """A stopped session with three patients and the same doctor's next one."""

    class Scene:
        role = doctor()
        stopped = session(role, booked=3)
        later = session(role, day=LATER, booked=0, numbers=8)
        order = stop(stopped)
        rows = list(Appointment.objects.filter(schedule=stopped).order_by("pk"))
        cases = [case_of(row) for row in rows]

    return Scene()


def answered(case) -> list[dict]:
    facts = Fact.objects.filter(topic="stop.answered", key=f"appointment:{case.appointment_id}").order_by("pk")
    return [fact.payload for fact in facts]


def move(case, schedule, number, *, now=NOW, by=None, key=None):
    return stops.move(case=case, schedule=schedule.pk, number=number, by=by, request_key=key, now=now)


def test_moving_takes_a_kept_number_and_nothing_of_the_houses_limits_stands_in_the_way(scene):
    """B13: another visit that day in the department, and the limits of the week used up."""
    case = scene.cases[0]
    afternoon = {"day": LATER, "half": "pm", "starts_at": scene.later.ends_at}
    appointment_row(
        session(scene.role, booked=0, ends_at=scene.later.ends_at + timedelta(hours=3), **afternoon), case.patient
    )
    for ahead in (1, 2, 3):
        appointment_row(open_schedule(day=TODAY + timedelta(days=ahead)), case.patient)
    number = elsewhere.places_for(case, now=NOW)[0].slots[0].number

    move(case, scene.later, number)

    row = Appointment.objects.get(pk=case.appointment_id)
    assert (row.schedule, row.self_service, row.counts, row.status) == (scene.later, False, False, "booked")
    assert answered(case) == [
        {"case": case.pk, "appointment": row.pk, "answer": "move", "fee_due": "keep"},
    ]
    assert row.start == scene.later.slots.get(number=number).start


def test_the_public_cannot_take_what_is_kept_until_the_deadline_and_then_it_can(scene):
    taken = scene.later.slots.filter(pool__kind="rebook").order_by("number").first()
    public = StopCase.objects.first().deadline

    def ask(now):
        return take(scene.later, number=taken.number, now=now)

    with pytest.raises(SoldOut):
        ask(public - timedelta(seconds=1))
    assert ask(public).slot == taken


def test_the_recall_moves_what_nobody_took_into_the_public_pool_once(scene):
    deadline = scene.cases[0].deadline

    supply.follow_up(now=deadline)

    assert set(scene.later.slots.values_list("pool__kind", flat=True)) == {"public"}


def test_a_dearer_doctor_costs_the_moved_patient_nothing_more():
    role = doctor()
    schedule = session(role, booked=1)
    chief = doctor(role.department, of="chief")
    chief.service.price_code = "C"
    chief.service.save()
    PriceItem.objects.create(
        organization=schedule.organization, code="C", name="专家", amount=Decimal("80"), effective_from=TODAY
    )
    later = session(chief, day=LATER, booked=0)
    stop(schedule)
    case = StopCase.objects.get()
    number = elsewhere.places_for(case, now=NOW)[0].slots[0].number

    move(case, later, number)

    assert Appointment.objects.get(pk=case.appointment_id).fee == Decimal("20.00")


def test_giving_back_because_of_a_stop_is_never_late_and_is_refunded(scene):
    case = scene.cases[0]

    stops.cancel(case=case, by=None, now=case.deadline + timedelta(days=4))
    stops.cancel(case=case, by=None, now=case.deadline + timedelta(days=4))
    work(case.deadline + timedelta(days=4))

    fact = Fact.objects.get(topic="appointment.cancelled")
    assert (fact.payload["hospital"], fact.payload["late"]) == (True, False)
    assert [each["fee_due"] for each in answered(case)] == ["refund"]
    assert told(case.patient)[-1] == "stop.cancelled"


def test_accepting_twice_is_once_and_another_answer_hears_which_one_counts():
    role = doctor()
    schedule = session(role, booked=1)
    substitute(schedule, doctor(role.department))
    case = StopCase.objects.get()

    stops.accept(case=case, by=None, now=NOW)
    stops.accept(case=case, by=None, now=NOW)

    assert len(answered(case)) == 1
    with pytest.raises(AlreadyAnswered) as refusal:
        stops.cancel(case=case, by=None, now=NOW)
    assert "接受替诊" in refusal.value.sentence
    assert Appointment.objects.get().status == "booked"


def test_after_the_deadline_an_answer_still_counts_until_the_visit(scene):
    first, second, _third = scene.cases

    stops.cancel(case=first, by=None, now=scene.rows[0].start - timedelta(minutes=1))

    with pytest.raises(QuestionOver):
        stops.cancel(case=second, by=None, now=scene.rows[1].start)


def test_a_substitutes_patient_may_still_give_back_after_the_ordinary_cut_off():
    role = doctor()
    schedule = session(role, booked=2)
    substitute(schedule, doctor(role.department))
    moment = schedule.starts_at - timedelta(hours=3)
    first, second = Appointment.objects.order_by("pk")

    changes.cancel(appointment=first, by=None, channel="web", now=moment)  # from "my bookings"
    stops.cancel(case=case_of(second), by=None, now=moment)

    assert [fact.payload["late"] for fact in Fact.objects.filter(topic="appointment.cancelled")] == [False, False]


def test_what_is_done_on_another_page_answers_the_question(scene):
    """From "my bookings": cancelled, moved, both; repeated deliveries change nothing."""
    first, second, third = scene.rows
    changes.cancel(appointment=first, by=None, channel="web", now=NOW)
    booking.reschedule(
        appointment=second, schedule=scene.later, by=StaffFactory(), channel="web", request_key=None, number=8, now=NOW
    )

    work()
    work()

    assert [case_of(row).answer for row in (first, second, third)] == ["cancel", "move", ""]
    assert [each["fee_due"] for each in answered(scene.cases[0])] == ["refund"]


def test_who_comes_has_accepted_the_substitute():
    role = doctor()
    schedule = session(role, day=TODAY, starts_at=NOW + timedelta(hours=1), ends_at=NOW + timedelta(hours=4), booked=1)
    substitute(schedule, doctor(role.department))
    row = Appointment.objects.get()

    visit.check_in(appointment=row, by=StaffFactory(roles="triage"), now=NOW, document_seen=True)
    work()

    assert case_of(row).answer == "accept"


def test_an_answer_after_the_undo_changes_nothing(scene):
    stops.undo(order=scene.order, by=StaffFactory(roles="office"), why="", now=NOW)
    number = scene.later.slots.filter(status="free").first().number

    for act in (
        lambda: move(scene.cases[0], scene.later, number),
        lambda: stops.cancel(case=scene.cases[0], by=None, now=NOW),
    ):
        with pytest.raises(QuestionOver):
            act()

    row = Appointment.objects.get(pk=scene.rows[0].pk)
    assert (row.schedule, row.status) == (scene.stopped, "booked")


def test_a_number_that_somebody_else_took_is_said_and_the_question_stays(scene):
    move(scene.cases[0], scene.later, 1)

    with pytest.raises(NoLongerOffered):
        move(scene.cases[1], scene.later, 1)
    assert case_of(scene.rows[1]).answer == ""
    with pytest.raises(NoLongerOffered):
        move(scene.cases[1], open_schedule(), 1)  # not one of the offered


def test_whoever_never_answers_is_called_and_at_the_visits_time_cancelled_by_the_hospital_once(scene):
    """B13: told once, with the fact of the refund."""
    houses = {scene.stopped.organization_id}
    late = scene.cases[0].deadline
    work()
    assert not board.to_call(houses, now=late - timedelta(seconds=1)).exists()
    assert board.to_call(houses, now=late).count() == 3

    stops.follow_up(now=late)
    assert JobRun.objects.get(job="stops").detail["to_call"] == 3
    moment = scene.rows[-1].start
    stops.follow_up(now=moment)
    stops.follow_up(now=moment)
    work(moment)

    assert {row.status for row in Appointment.objects.filter(schedule=scene.stopped)} == {"cancelled"}
    assert [told(row.patient) for row in scene.rows] == [["stop.asked", "stop.cancelled"]] * 3
    assert Fact.objects.filter(topic="appointment.cancelled", payload__hospital=True).count() == 3


def test_an_undelivered_message_is_on_the_call_list_at_once():
    schedule = session(doctor(), booked=1)
    patient = Appointment.objects.get().patient
    patient.phone = patient.phone_hash = ""
    patient.save()
    stop(schedule)
    work()

    [line] = board.case_lines(board.to_call({schedule.organization_id}, now=NOW), now=NOW)
    assert (line.told, line.late) == ("none", False)


def test_the_job_keeps_numbers_again_when_the_session_that_held_them_is_stopped_too(scene):
    stop(scene.later)
    third = session(scene.role, day=LATER + timedelta(days=2), booked=0, numbers=8)

    stops.follow_up(now=NOW)

    assert third.slots.filter(pool__kind="rebook").count() == 5


# The page behind the link.


@pytest.fixture
def phone(scene, client):
    with time_machine.travel(NOW, tick=False):
        work()
        yield client


def test_the_link_needs_no_account_shows_a_masked_name_only_and_is_kept_as_a_digest(scene, phone):
    case = scene.cases[0]
    path = link_of(case)

    response = phone.get(path)

    text = response.content.decode()
    assert response.status_code == 200
    assert masking.name(case.patient.name) in text
    for secret in (case.patient.name, case.patient.phone, case.patient.medical_number):
        assert secret not in text
    case.refresh_from_db()
    assert case.token_hash == cases.digest_of(path.split("/")[2])
    assert set(Message.objects.filter(template="stop.asked").values_list("link", flat=True)) == {""}
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "same-origin"


def test_the_three_answers_through_the_link(scene, phone):
    first, second, _third = scene.cases
    place = elsewhere.places_for(first, now=NOW)[0]

    moved = phone.post(link_of(first), {"answer": "move", "slot": f"{place.schedule.pk}:{place.slots[0].number}"})
    phone.post(link_of(second), {"answer": "cancel"})

    assert moved.status_code == 302
    assert "已改约" in phone.get(link_of(first)).content.decode()
    assert "已退号" in phone.get(link_of(second)).content.decode()
    again = phone.post(link_of(second), {"answer": "cancel"})
    assert again.status_code == 302  # the same answer again is the same


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "请从下面的答案里选一个。"),
        ({"answer": "fly"}, "请从下面的答案里选一个。"),
        ({"answer": "move"}, "请先选一个时间。"),
        ({"answer": "move", "slot": "x:1"}, "请先选一个时间。"),
    ],
)
def test_nonsense_is_answered_in_place_with_a_sentence(scene, phone, data, said):
    response = phone.post(link_of(scene.cases[0]), data)

    assert (response.status_code, said in response.content.decode()) == (422, True)
    assert case_of(scene.rows[0]).answer == ""


def test_a_late_visitor_hears_that_the_time_is_over_and_may_still_choose(scene, phone):
    path = link_of(scene.cases[0])
    with time_machine.travel(scene.cases[0].deadline + timedelta(hours=1), tick=False):
        text = phone.get(path).content.decode()
        assert "答复时间已过" in text
        assert phone.post(path, {"answer": "cancel"}).status_code == 302


def test_unknown_and_expired_links_look_alike(scene, phone):
    path = link_of(scene.cases[0])

    assert phone.get("/answer/abcdefghjkmn/").status_code == 404
    with time_machine.travel(scene.stopped.ends_at + timedelta(days=2), tick=False):
        assert phone.get(path).status_code == 404


def test_the_booking_card_asks_the_question_and_the_account_answers_there(scene, phone):
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=scene.cases[0].patient)
    phone.force_login(account)
    row = scene.rows[0]

    assert f"/bookings/{row.pk}/answer/" in phone.get("/bookings/").content.decode()
    assert f"/bookings/{row.pk}/answer/" in phone.get(f"/bookings/{row.pk}/").content.decode()
    phone.post(f"/bookings/{row.pk}/answer/", {"answer": "cancel"})

    assert case_of(row).answer == "cancel"
    assert case_of(row).answered_by == account
    assert phone.get(f"/bookings/{scene.rows[1].pk}/answer/").status_code == 404


def test_guessing_keys_is_slowed_down_and_real_links_still_open(scene, phone):
    ForgivingRedisCache.gone_until = 0.0

    guesses = [phone.get(f"/answer/{n:012d}/", REMOTE_ADDR="10.9.9.9").status_code for n in range(21)]

    assert guesses == [404] * 20 + [429]
    assert phone.get(link_of(scene.cases[0]), REMOTE_ADDR="10.9.9.9").status_code == 200


def test_the_link_of_an_older_message_shows_what_is_asked_now(scene, phone):
    """First stopped, then given to another doctor: nobody reads that the visit goes on as before."""
    path = link_of(scene.cases[0])
    colleague = doctor(scene.role.department)
    substitute(scene.stopped, colleague)

    text = phone.get(path).content.decode()
    assert f"由{colleague.practitioner}替诊" in text
    phone.post(path, {"answer": "accept"})

    assert case_of(scene.rows[0]).answer == "accept"
