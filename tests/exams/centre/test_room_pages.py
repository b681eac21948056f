"""检查室: what the pages show, do, and refuse (E5)."""

from datetime import time, timedelta

import pytest
import time_machine
from django.urls import reverse

from exams.models import (
    ExamBooking,
)
from tests.factories import (
    NOW,
    TODAY,
    ExamRequestFactory,
    OrganizationFactory,
    PoolFactory,
    PractitionerFactory,
    StaffFactory,
    device_session,
    exam_booking_row,
    open_device,
)

from .pages import page, post, question

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


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
    assert "医生同意仍检查" not in stopped.content.decode()  # a name typed at the desk changes nothing here
    post(client, "exam_check_in", today.pk, **{f"e{today.pk}-q-pregnant": "no", f"e{today.pk}-priority": 1})
    post(client, "exam_call_next", today.device_id, seen=0)
    for act in ("start", "finish"):
        post(client, "exam_act", today.pk, act)

    today.refresh_from_db()
    assert (today.status, today.priority, today.calls) == ("done", 1, 1)
    assert page(client, "exam_centre").status_code == 403  # the centre's list is not hers


def test_a_doctors_word_needs_a_doctor_of_the_house_and_a_reason(client, centre, today):
    question(today.request.organization, effect="check")
    doctor = PractitionerFactory(code="D77")
    said = {f"e{today.pk}-q-pregnant": "yes", f"e{today.pk}-doctor": "D99", f"e{today.pk}-override": "急诊"}

    unknown = post(client, "exam_check_in", today.pk, **said)
    assert unknown.status_code == 422
    assert "没有这位医生" in unknown.content.decode()
    assert "请写明是哪位医生" not in unknown.content.decode()  # one thing is wrong, not two
    assert 'value="急诊"' in unknown.content.decode()
    post(client, "exam_check_in", today.pk, **said | {f"e{today.pk}-doctor": "D77"})

    today.refresh_from_db()
    assert (today.status, today.override_by) == ("arrived", doctor)


def test_who_comes_on_the_wrong_day_is_told_the_right_one_and_a_walk_in_when_it_is(client, centre, variant):
    """E5: the soonest device stands first, with its time."""
    busy, free = open_device(variant, days=(), name="B1"), open_device(variant, days=(), name="B2")
    exam_booking_row(session=device_session(busy, day=TODAY), start=NOW)
    device_session(free, day=TODAY)
    later = exam_booking_row(session=device_session(free, day=TODAY + timedelta(days=2)), start=NOW + timedelta(days=2))

    assert "11-25" in page(client, "exam_arrival", later.patient_id).content.decode()
    asked = ExamRequestFactory(variant=variant)
    shown = page(client, "exam_arrival", asked.patient_id).content.decode()
    assert shown.index("B2") < shown.index("B1")
    assert "最早10:00" in shown
    said = client.post(reverse("exams:exam_walk_in", args=[asked.pk]), {"device": free.pk}, follow=True)
    assert "B2，10:00" in said.content.decode()


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
