"""检查预约中心: what the pages show, do, and refuse (E2)."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from exams.models import (
    ContactNote,
    Downtime,
    DowntimeCase,
    ExamBooking,
    ExamRequest,
)
from hospital.models import AuditEvent, Organization, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    PatientFactory,
    PoolFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

from .pages import page, post, question

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def asked(variant):
    """One open request of 周小明, bookable tomorrow morning."""
    PoolFactory(organization=variant.item.organization)
    open_device(variant)
    return ExamRequestFactory(variant=variant, patient=PatientFactory(name="周小明", phone="13900001234"))


# ---- 待办 ----


def test_the_list_has_the_urgent_first_then_by_the_wanted_day_then_the_oldest(client, centre, variant):
    """E2: masked names and phones; never a full one."""
    made = {
        "老": {"asked_at": NOW - timedelta(days=9)},
        "急": {"priority": "emergency"},
        "盼": {"wanted_by": TODAY + timedelta(days=2)},
        "新": {"asked_at": NOW},
    }
    for name, more in made.items():
        ExamRequestFactory(variant=variant, patient=PatientFactory(name=f"{name}小明", phone="13900001234"), **more)

    answer = page(client, "exam_centre")
    text = answer.content.decode()

    assert [line["name"] for line in answer.context["lines"]] == ["急*明", "盼*明", "老*明", "新*明"]
    assert "139****1234" in text
    assert "13900001234" not in text
    assert "小明" not in text


def test_each_filter_narrows_and_a_wrong_one_is_as_if_it_were_not_there(
    client, centre, variant, django_assert_num_queries
):  # noqa: E501
    """E2: kind, modality, campus, age, contact."""
    old = ExamRequestFactory(variant=variant, asked_at=NOW - timedelta(days=8))
    back = ExamRequestFactory(variant=variant)
    exam_booking_row(request=back, status="not_done", holds=False, ended_at=NOW, note="没有空腹")
    ExamRequest.objects.filter(pk=back.pk).update(note="没有空腹")
    scan = ExamRequestFactory(variant=exam_variant(item=ExamItemFactory(modality="ct")))
    ContactNote.objects.create(patient=scan.patient, request=scan, by=centre, at=NOW, outcome="no_answer")
    device = open_device(variant)

    def found(**query):
        return {line["row"] for line in page(client, "exam_centre", **query).context["lines"]}

    assert found() == {old, back, scan}
    assert found(days=7) == {old}
    assert found(kind="not_done") == {back}
    assert found(kind="missed") == set()
    assert found(modality="ct") == {scan}
    assert found(contact="no_answer") == {scan}
    assert found(contact="never") == {old, back}
    assert found(campus=device.zone.campus_id) == {old, back}
    assert found(days="x", campus="0", kind="?", contact="?", modality="??") == {old, back, scan}
    assert "没有空腹" in page(client, "exam_centre").content.decode()


def test_the_list_is_read_in_as_many_queries_with_one_line_as_with_fifty(
    client, centre, variant, django_assert_max_num_queries
):  # noqa: E501
    for _n in range(60):
        ExamRequestFactory(variant=variant)

    with django_assert_max_num_queries(16):
        answer = page(client, "exam_centre")
    assert len(answer.context["lines"]) == 50
    assert len(page(client, "exam_centre", page=2).context["lines"]) == 10


def test_another_house_sees_nothing_of_it(client, asked):
    """E2: by the role's organization."""
    other = Organization.objects.create(name="别院", code="B2", kind="hospital")
    user = StaffFactory()
    RoleAssignment.objects.create(user=user, role="exam", organization=other)
    client.force_login(user)

    assert page(client, "exam_centre").context["lines"] == []
    assert page(client, "exam_centre_times", asked.pk).status_code == 404
    assert post(client, "exam_centre_withdraw", asked.pk, reason="x").status_code == 404


def test_whose_device_is_down_and_who_has_not_answered_stands_on_a_list_of_its_own(client, centre, today):
    """E2: the request counts as booked, its time is gone; the patient's page offers another."""
    ExamBooking.objects.filter(pk=today.pk).update(holds=False)
    down = Downtime.objects.create(device=today.device, during=today.during, cause="fault", by=centre, created_at=NOW)
    DowntimeCase.objects.create(
        downtime=down, booking=today, patient=today.patient, token_hash="x", deadline=NOW, opened_at=NOW
    )

    listed = page(client, "exam_centre", kind="down").context
    assert [line["row"] for line in listed["lines"]] == [today.request]
    assert page(client, "exam_centre").context["lines"] == []
    assert "停机，等改约" in page(client, "exam_centre_patient", today.patient_id).content.decode()
    assert "等改约" in page(client, "exam_room", today.device_id).content.decode()


# ---- 一位患者 ----


def test_the_centre_books_one_exam_for_who_is_on_the_phone(client, centre, asked):
    """E2: any free segment of any device; the patient's own limits do not hold, the clock of a hold neither."""
    times = page(client, "exam_centre_times", asked.pk)
    day, [(device, segments)] = times.context["days"][0]
    slot = f"{device.pk}@{segments[0].first_start.isoformat()}"

    done = post(client, "exam_centre_times", asked.pk, slot=slot)

    row = ExamBooking.objects.get()
    assert done.url == reverse("exams:exam_centre_patient", args=[asked.patient_id])
    assert (row.status, row.channel, row.by, row.day) == ("booked", "counter", centre, day)
    assert "已预约" in client.get(done.url).content.decode()


def test_a_time_that_somebody_took_meanwhile_is_refused_on_the_page(client, centre, asked, variant):
    """E2: never a silent success; the list is fresh."""
    times = page(client, "exam_centre_times", asked.pk)
    [(device, segments)] = times.context["days"][0][1]
    slot = f"{device.pk}@{segments[0].first_start.isoformat()}"
    exam_booking_row(
        request=ExamRequestFactory(variant=variant), session=device.sessions.get(), start=segments[0].first_start
    )

    answer = post(client, "exam_centre_times", asked.pk, slot=slot)
    nothing = post(client, "exam_centre_times", asked.pk)
    rubbish = post(client, "exam_centre_times", asked.pk, slot="7@soon")

    assert answer.status_code == 409
    assert "刚被占用" in answer.content.decode()
    assert (nothing.status_code, rubbish.status_code) == (422, 422)
    assert asked.bookings.count() == 0


def test_questions_come_before_times_and_a_refusing_answer_is_kept(client, centre, asked):
    """E4: asked on the phone; whoever looks next sees it."""
    question(asked.organization)

    first = page(client, "exam_centre_times", asked.pk)
    assert first.url.startswith(reverse("exams:exam_centre_answers", args=[asked.patient_id]))
    assert post(client, "exam_centre_answers", asked.patient_id).status_code == 422
    done = post(client, "exam_centre_answers", asked.patient_id, **{"q-pregnant": "yes"})

    asked.refresh_from_db()
    assert asked.answers == {"pregnant": "yes"}
    assert done.url == reverse("exams:exam_centre_times", args=[asked.pk])
    text = page(client, "exam_centre_patient", asked.patient_id).content.decode()
    assert "不能做" in text
    assert "怀孕不能做。" in text


def test_several_exams_are_planned_and_booked_as_a_whole(client, centre, asked):
    """E3: best first; wishes narrow; what can't be is said and kept."""
    other = exam_variant(item=ExamItemFactory(name="心电图", modality="ecg", code="EC01"), minutes=10)
    open_device(other, modality="ecg", code="EC9", name="心电1")
    ExamRequestFactory(variant=other, patient=asked.patient)
    here = asked.patient_id

    answer = page(client, "exam_centre_plan", here, not_before="09:00")
    best = answer.context["choices"][0]
    assert best.trips == 1
    assert best.visits[0].lines[0].start.astimezone().hour in (1, 9)

    wrong = page(client, "exam_centre_plan", here, not_before="12:00", not_after="09:00", first_day="2026-11-24")
    assert wrong.status_code == 422
    assert 'value="12:00' in wrong.content.decode()
    far = page(client, "exam_centre_plan", here, first_day="9999-12-31")
    assert "所选的日期里没有可以安排的日子" in far.content.decode()
    nothing = page(client, "exam_centre_plan", here, without="2026-11-24", last_day="2026-11-24")
    assert nothing.context["choices"] == []

    assert post(client, "exam_centre_plan", here, token="forged").status_code == 409
    done = post(client, "exam_centre_plan", here, token=best.token)
    assert done.status_code == 302
    assert list(ExamBooking.objects.values_list("status", "channel")) == [("booked", "counter")] * 2


def test_a_booking_is_moved_and_cancelled_with_a_reason(client, centre, asked):
    """E2: without one nothing happens and the page says so."""
    [(device, segments)] = page(client, "exam_centre_times", asked.pk).context["days"][0][1]
    slots = [f"{device.pk}@{each.first_start.isoformat()}" for each in segments]
    post(client, "exam_centre_times", asked.pk, slot=slots[0])
    row = ExamBooking.objects.get()

    post(client, "exam_centre_times", asked.pk, _query=f"?move={row.pk}", slot=slots[2])
    row.refresh_from_db()
    assert row.start == segments[2].first_start

    refused = post(client, "exam_centre_cancel", row.pk, reason="  ")
    assert refused.status_code == 422
    assert f'id="why-booking-{row.pk}-error"' in refused.content.decode()
    post(client, "exam_centre_cancel", row.pk, reason="患者出差")
    row.refresh_from_db(), asked.refresh_from_db()
    assert (row.status, row.note, asked.status) == ("cancelled", "患者出差", "open")

    assert post(client, "exam_centre_withdraw", asked.pk, reason="").status_code == 422
    post(client, "exam_centre_withdraw", asked.pk, reason="已在外院检查")
    asked.refresh_from_db()
    assert (asked.status, asked.note) == ("cancelled", "已在外院检查")


def test_days_on_which_the_patient_would_come_once_more_are_marked(client, centre, asked):
    """E3: while an exam is moved away from another of the same day."""
    [(device, segments)] = page(client, "exam_centre_times", asked.pk).context["days"][0][1]
    post(client, "exam_centre_times", asked.pk, slot=f"{device.pk}@{segments[0].first_start.isoformat()}")
    other = exam_variant(item=ExamItemFactory(name="心电图"))
    session = open_device(other).sessions.get()
    exam_booking_row(
        request=ExamRequestFactory(patient=asked.patient, variant=other),
        session=session,
        start=session.during.upper - 30 * MINUTE,
    )
    device_session(device, day=TODAY + timedelta(days=2))
    row = ExamBooking.objects.get(request=asked)

    times = page(client, "exam_centre_times", asked.pk, move=row.pk)

    assert times.context["dear"] == [TODAY + timedelta(days=2)]
    assert times.content.decode().count(">多来一次</span>") == 1
    assert "还有：心电图。" in times.content.decode()


def test_a_paper_request_is_added_with_its_origin_and_not_twice(client, centre, variant):
    """E2: no doctor of ours; the reason says whose."""
    person = PatientFactory()

    assert "腹部超声" in page(client, "exam_centre_paper", person.pk, q="fbcs").content.decode()
    empty = post(client, "exam_centre_paper_form", person.pk, variant.pk, priority="urgent")
    assert empty.status_code == 422
    said = {"reason": "城北医院王医生，腹痛待查", "priority": "urgent"}
    post(client, "exam_centre_paper_form", person.pk, variant.pk, **said)
    again = post(client, "exam_centre_paper_form", person.pk, variant.pk, **said)

    row = ExamRequest.objects.get()
    assert (row.requester, row.by, row.reason, row.priority) == (None, centre, said["reason"], "urgent")
    assert again.status_code == 409
    assert "城北医院王医生" in again.content.decode()
    assert AuditEvent.objects.get(action="exam.requested_on_paper").detail == {"why": said["reason"]}


def test_a_patients_pages_take_as_many_queries_with_six_exams_as_with_one(
    client, centre, asked, django_assert_max_num_queries
):  # noqa: E501
    for _n in range(6):
        row = ExamRequestFactory(variant=exam_variant(item=ExamItemFactory(modality="ct")), patient=asked.patient)
    session = device_session(open_device(row.variant, days=()), day=TODAY)
    for place in range(5):
        request = ExamRequestFactory(variant=row.variant, patient=asked.patient)
        exam_booking_row(request=request, session=session, start=NOW + 20 * place * MINUTE)
    page(client, "exam_centre_patient", asked.patient_id)

    with django_assert_max_num_queries(26):
        page(client, "exam_centre_patient", asked.patient_id)
    with django_assert_max_num_queries(27):
        page(client, "exam_arrival", asked.patient_id)


# ---- 电话名单 ----


def test_the_call_list_goes_from_one_patient_to_the_next_and_keeps_what_was_heard(client, centre, variant):
    """E2: the whole number only of the one who is called, and in the trail."""
    rows = [
        ExamRequestFactory(variant=variant, patient=PatientFactory(phone=phone))
        for phone in ("13900001234", "13900005678")
    ]
    post(client, "exam_calls", r=[row.pk for row in rows])

    listed = page(client, "exam_calls").content.decode()
    assert "139****1234" in listed
    assert "13900001234" not in listed
    calling = page(client, "exam_call", rows[0].patient_id).content.decode()
    assert "13900001234" in calling
    assert "13900005678" not in calling
    assert AuditEvent.objects.filter(action="patient.seen.exam_call", patient=rows[0].patient).count() == 1

    assert post(client, "exam_call", rows[0].patient_id, note="x").status_code == 422
    following = post(client, "exam_call", rows[0].patient_id, outcome="no_answer", note="下午再打")
    assert following.url == reverse("exams:exam_call", args=[rows[1].patient_id])
    last = post(client, "exam_call", rows[1].patient_id, outcome="thinking")
    assert last.url == reverse("exams:exam_calls")
    assert list(ContactNote.objects.order_by("pk").values_list("outcome", "note", "by")) == [
        ("no_answer", "下午再打", centre.pk),
        ("thinking", "", centre.pk),
    ]


def test_a_whole_page_of_the_list_is_called_with_one_press(client, centre, variant):
    """E2: without ticking fifty boxes."""
    rows = [ExamRequestFactory(variant=variant) for _n in range(3)]

    post(client, "exam_calls", p=[row.pk for row in rows], r=[rows[0].pk], whole="yes")

    assert page(client, "exam_calls").context["left"] == 3
    post(client, "exam_calls_clear")
    assert page(client, "exam_calls").context["people"] == []


def test_nobodys_number_is_shown_who_is_not_on_ones_list(client, centre, asked):
    answer = page(client, "exam_call", asked.patient_id)

    assert answer.url == reverse("exams:exam_centre_patient", args=[asked.patient_id])
    assert post(client, "exam_calls").status_code == 302  # nothing ticked: said, nothing added
    assert page(client, "exam_calls").context["people"] == []
