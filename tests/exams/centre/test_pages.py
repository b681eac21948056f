"""检查预约中心 and 检查室: what the pages show, do, and refuse (E2, E5)."""

from datetime import time, timedelta

import pytest
import time_machine
from django.urls import reverse

from exams.models import (
    ContactNote,
    Downtime,
    DowntimeCase,
    ExamBooking,
    ExamRequest,
    ScreeningAnswer,
    ScreeningQuestion,
)
from hospital.models import AuditEvent, Organization, RoleAssignment
from tests.factories import (
    NOW,
    TODAY,
    ExamItemFactory,
    ExamRequestFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    PractitionerFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    exam_variant,
    open_device,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def centre(client):
    user = StaffFactory(roles="exam")
    client.force_login(user)
    return user


@pytest.fixture
def variant():
    return exam_variant(item=ExamItemFactory(name="腹部超声", code="US01"))


@pytest.fixture
def asked(variant):
    """One open request of 周小明, bookable tomorrow morning."""
    PoolFactory(organization=variant.item.organization)
    open_device(variant)
    return ExamRequestFactory(variant=variant, patient=PatientFactory(name="周小明", phone="13900001234"))


def page(client, name, *args, **query):
    return client.get(reverse(f"exams:{name}", args=args), query)


def post(client, name, *args, _query="", **data):
    return client.post(reverse(f"exams:{name}", args=args) + _query, data)


def question(organization, *, effect="refuse", **more):
    row = ScreeningQuestion.objects.create(
        organization=organization, code="pregnant", text="是否怀孕？", source="院内规定",
        approved_by=StaffFactory(), approved_at=NOW, **more,
    )  # fmt: skip
    ScreeningAnswer.objects.create(question=row, code="no", text="没有", effect="ok")
    ScreeningAnswer.objects.create(question=row, code="yes", text="有", effect=effect, sentence="怀孕不能做。")
    return row


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
    with django_assert_max_num_queries(26):
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


# ---- 检查室 ----


@pytest.fixture
def today(variant):
    """A device that works today, with one exam in a quarter of an hour."""
    session = device_session(open_device(variant, days=()), day=TODAY)
    request = ExamRequestFactory(variant=variant, patient=PatientFactory(name="周小明"))
    return exam_booking_row(request=request, session=session, start=NOW + 15 * MINUTE)


def test_a_nurse_takes_a_patient_from_check_in_to_the_end(client, today):
    """E5: every button is a form; triage may, too."""
    client.force_login(StaffFactory(roles="triage"))
    question(today.request.organization)
    arrival = page(client, "exam_arrival", today.patient_id)
    assert "是否怀孕" in arrival.content.decode()

    assert post(client, "exam_check_in", today.pk, priority=0).status_code == 422
    stopped = post(client, "exam_check_in", today.pk, **{f"e{today.pk}-q-pregnant": "yes"})
    assert stopped.status_code == 409
    assert "怀孕不能做" in stopped.content.decode()
    post(client, "exam_check_in", today.pk, **{f"e{today.pk}-q-pregnant": "no", f"e{today.pk}-priority": 1})
    post(client, "exam_call_next", today.device_id, seen=0)
    for act in ("start", "finish"):
        post(client, "exam_act", today.pk, act)

    today.refresh_from_db()
    assert (today.status, today.priority, today.calls) == ("done", 1, 1)
    assert page(client, "exam_centre").status_code == 403  # the centre's list is not hers


def test_a_doctors_word_needs_a_doctor_of_the_house_and_a_reason(client, centre, today):
    question(today.request.organization)
    doctor = PractitionerFactory(code="D77")
    said = {f"e{today.pk}-q-pregnant": "yes", f"e{today.pk}-doctor": "D99", f"e{today.pk}-override": "急诊"}

    unknown = post(client, "exam_check_in", today.pk, **said)
    assert unknown.status_code == 422
    assert "没有这位医生" in unknown.content.decode()
    assert 'value="急诊"' in unknown.content.decode()
    post(client, "exam_check_in", today.pk, **said | {f"e{today.pk}-doctor": "D77"})

    today.refresh_from_db()
    assert (today.status, today.override_by) == ("arrived", doctor)


def test_not_done_asks_why_and_the_exam_is_back_on_the_centres_list(client, centre, today):
    """E5."""
    assert post(client, "exam_not_done", today.pk).status_code == 422
    assert post(client, "exam_not_done", today.pk, why="other").status_code == 422
    post(client, "exam_not_done", today.pk, why="unprepared", note="吃了早饭")

    listed = page(client, "exam_centre", kind="not_done").content.decode()
    assert "准备不足（没有空腹、没有憋尿、肠道不干净等）：吃了早饭" in listed


def test_who_comes_too_late_is_done_on_the_spot_and_is_no_no_show(client, centre, variant):
    """E5: the missed time is excused, a free minute of the device is taken."""
    device = open_device(variant, days=(0,), starts=time(8), ends=time(18))
    row = exam_booking_row(
        request=ExamRequestFactory(variant=variant), session=device.sessions.get(), start=NOW - 90 * MINUTE
    )  # noqa: E501
    late = page(client, "exam_arrival", row.patient_id)
    assert "已过报到时间" in late.content.decode()
    assert "迟到，现场检查" in late.content.decode()

    post(client, "exam_walk_in", row.request_id, device=device.pk)

    row.refresh_from_db()
    fresh = ExamBooking.objects.get(walk_in=True)
    assert (row.status, row.no_show.excused_at) == ("noshow", NOW)
    assert (fresh.status, fresh.start, fresh.channel) == ("booked", NOW, "counter")
    post(client, "exam_check_in", fresh.pk)
    fresh.refresh_from_db()
    assert fresh.status == "arrived"


def test_who_waits_goes_to_the_other_device_when_this_one_is_slow(client, centre, today, variant):
    """E5: to its next free minutes, checked in as before; never to one that cannot do it."""
    other = open_device(variant, days=(0,), starts=time(8), ends=time(18), code="DV-B", name="彩超2号机")
    elsewhere = open_device(days=(0,), code="DV-C")
    PoolFactory(organization=variant.item.organization)
    post(client, "exam_check_in", today.pk)
    assert "彩超2号机" in page(client, "exam_arrival", today.patient_id).content.decode()

    assert post(client, "exam_transfer", today.pk, device=elsewhere.pk).status_code == 409
    post(client, "exam_transfer", today.pk, device=other.pk)

    today.refresh_from_db()
    assert (today.device, today.start, today.status) == (other, NOW, "arrived")


def test_the_screen_in_the_hall_shows_no_full_name_to_anybody(client, today):
    """E5: nobody signs in."""
    ExamBooking.objects.filter(pk=today.pk).update(status="arrived", checked_in_at=NOW)

    text = page(client, "exam_screen", today.device.zone_id).content.decode()

    assert "周*明" in text
    assert "周小明" not in text


def test_the_rooms_and_a_queue_are_read_in_few_queries(client, centre, variant, django_assert_max_num_queries):
    device = open_device(variant, days=())
    session = device_session(device, day=TODAY)
    for place in range(5):
        exam_booking_row(
            request=ExamRequestFactory(variant=variant), session=session, start=NOW + 20 * place * MINUTE,
            status="arrived", checked_in_at=NOW - place * MINUTE,
        )  # fmt: skip
    page(client, "exam_rooms")

    with django_assert_max_num_queries(9):
        page(client, "exam_rooms")
    with django_assert_max_num_queries(9):
        page(client, "exam_room", device.pk)
    part = client.get(reverse("exams:exam_room", args=[device.pk]), headers={"HX-Request": "true", "HX-Target": "room"})
    assert "<html" not in part.content.decode()
    assert OrganizationFactory() == device.organization
