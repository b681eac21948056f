"""R2, R3: the receiving doctor sees who comes by referral, opens the dossier with one key, completes or sends down."""

from datetime import timedelta

import pytest
from django.urls import reverse

from appointments.models import Appointment
from hospital import clock
from hospital.models import Organization
from referrals.models import CarePlan, Referral
from tests.consult.rooms import bring_in, doctor_with_a_room, open_page
from tests.factories import CommunityFactory, ReferralFactory

from .community import clinic

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def room(client):
    room = doctor_with_a_room()
    Organization.objects.filter(code="H1").update(kind="hospital")
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    bring_in(room)
    return room


def referred(encounter, **more) -> Referral:
    """Up, with the number of this visit; the patient is here."""
    usual = {"status": "arrived", "due_at": None, "results": "外院 CT：胰头占位 2 cm", "urgency": "urgent"}
    visit = {"patient": encounter.patient, "appointment": encounter.appointment, "department": encounter.department}
    return ReferralFactory(**{**visit, **usual, **more})


def test_the_queue_names_who_comes_by_referral_and_one_key_opens_the_dossier(
    client, room, django_assert_max_num_queries
):
    """R2: no second history: reason, results and who sent the patient are on the page."""
    referred(room.waiting[0])
    referred(room.waiting[1], appointment=None, status="accepted")
    page = open_page(client)
    assert page.content.decode().count("上转 加急 柳堤社区") == 3  # the patient's bar, and two in the queue
    kind = next(one for one in page.context["page"].kinds if one.name == "referral")
    assert kind.count == 1
    with django_assert_max_num_queries(45):
        shown = client.get(kind.href, headers=HTMX).content.decode()
    for said in ("血压控制不佳", "高血压 3 级", "胰头占位", "柳堤社区", f'data-key="Digit{kind.key}"'):
        assert said in shown
    assert "胰头占位" in client.get(reverse("referrals:consult_results")).content.decode()


def test_a_patient_who_was_not_referred_can_still_go_down(client, room):
    """R3"""
    shown = open_page(client, kind="referral").content.decode()
    assert "不是转诊来的" in shown
    assert reverse("referrals:down_encounter", args=[room.waiting[0].pk]) in shown
    assert client.get(reverse("referrals:consult_results")).content == b""


def test_completed_in_the_room_and_told_to_the_other_side(client, room):
    row = referred(room.waiting[0])
    said = {"encounter": room.waiting[0].pk, "referral": row.pk, "note": "已开药，四周后门诊"}
    answer = client.post(reverse("referrals:consult_complete"), said, headers=HTMX)
    row.refresh_from_db()
    assert (answer.status_code, row.status) == (200, "completed")
    assert row.events.get(kind="completed").text == "已开药，四周后门诊"
    other = client.post(reverse("referrals:consult_complete"), said | {"encounter": room.waiting[1].pk})
    assert other.status_code == 409


def form_of(house, day, **more) -> dict:
    return {
        "act": "send", "receiver": house.pk, "reason": "转回随访", "diagnosis": "高血压 3 级", "diagnosis_code": "I10",
        "summary": "加用氨氯地平", "medication": "氨氯地平 5mg", "warning_signs": "胸痛", "consent": "patient",
        "follow_up_at": "there", "follow_up_on": day.isoformat(), "slot": "",
        "request_key": "5f8c2b7e-2f5d-4b35-9a55-0d2f9a6f4f11", **more,
    }  # fmt: skip


def test_back_down_from_the_room_with_a_number_at_the_familys_doctor(client, room):
    """R3: what is looked at keeps what was typed, a gone number says so, and a double click is one."""
    row, day = referred(room.waiting[0]), clock.today(clock.now()) + timedelta(days=14)
    schedule = clinic(day=day, opened=clock.now() - timedelta(days=1))
    url = reverse("referrals:down_referral", args=[row.pk]) + "?from=consult"
    assert client.get(url).context["form"]["diagnosis"].value() == "高血压 3 级"

    looked = client.post(url, form_of(row.origin, day, act="look", medication="写了一半"))
    assert looked.context["form"]["medication"].value() == "写了一半"
    [sitting] = looked.context["times"].sittings
    slot = sitting.slices[0].value

    short = client.post(url, form_of(row.origin, day, slot=slot, warning_signs=""))
    assert short.status_code == 422
    assert "氨氯地平 5mg" in short.content.decode()
    assert short.context["chosen"] == slot

    done = client.post(url, form_of(row.origin, day, slot=slot))
    assert done.url == reverse("appointments:consult") + "?kind=referral"
    again = client.post(url, form_of(row.origin, day, slot=slot))
    assert again.status_code == 302
    [down] = Referral.objects.filter(direction="down")
    plan = CarePlan.objects.get(referral=down)
    assert (plan.appointment.schedule, plan.follow_up_at) == (schedule, CommunityFactory())
    assert Appointment.objects.filter(schedule=schedule).count() == 1
    shown = client.get(done.url).content.decode()
    assert down.number in shown


def test_a_number_that_was_taken_meanwhile_is_refused_and_nothing_typed_is_lost(client, room):
    row, day = referred(room.waiting[0]), clock.today(clock.now()) + timedelta(days=14)
    schedule = clinic(day=day, numbers=1, opened=clock.now() - timedelta(days=1))
    url = reverse("referrals:down_referral", args=[row.pk])
    slot = f"{schedule.pk}@{schedule.slots.get().start.isoformat()}"
    schedule.slots.update(status="blocked")
    answer = client.post(url, form_of(row.origin, day, slot=slot))
    assert answer.status_code == 409
    assert "氨氯地平 5mg" in answer.content.decode()
    assert "原来选的号已经没有了" in answer.content.decode()
    assert not Referral.objects.filter(direction="down").exists()
