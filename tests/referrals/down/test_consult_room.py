"""R2, R3: the receiving doctor sees who comes by referral, opens the dossier with one key, completes or sends down."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from appointments.models import Appointment
from hospital import clock
from hospital.models import Organization
from referrals.models import CarePlan, Referral
from tests.consult.rooms import bring_in, doctor_with_a_room, open_page
from tests.factories import CommunityFactory, ReferralFactory, StaffFactory

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
    referred(room.waiting[0], allergies="青霉素：过敏性休克")
    referred(room.waiting[1], appointment=None, status="accepted")
    page = open_page(client)
    bar = page.content.decode()
    assert ("转来时写的过敏：青霉素：过敏性休克" in bar, "无过敏记录" in bar) == (True, False)
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
    shown = open_page(client, kind="referral").content.decode()
    assert reverse("referrals:down_encounter", args=[room.waiting[0].pk]) in shown  # a slip is no dead end


def test_a_plan_is_kept_while_it_is_written_for_its_writer_alone(client, room):
    """R3: an idle log-out loses no letter; once it is sent, or somebody else's was, nothing is kept on."""
    row, day = referred(room.waiting[0], allergies="否认药物过敏史"), clock.today(clock.now()) + timedelta(days=14)
    assert "downallergy" not in open_page(client, kind="referral").content.decode()
    row.patient.conditions.create(kind="allergy", text="磺胺")
    url = reverse("referrals:down_referral", args=[row.pk]) + "?from=consult"
    assert client.get(url).context["form"]["allergies"].value() == "磺胺"
    half = form_of(row.origin, day, act="keep", warning_signs="写到一半", consent="", follow_up_on="20")
    assert "已保存" in client.post(url, half, headers=HTMX).content.decode()
    client.logout()
    other = StaffFactory(roles="ward")
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert "写到一半" not in client.get(url).content.decode()
    client.force_login(room.user, backend="django.contrib.auth.backends.ModelBackend")
    taken_up = client.get(url).content.decode()
    assert "写到一半" in taken_up
    assert "没有发出" in taken_up
    client.post(url, {"act": "clear"})
    assert "写到一半" not in client.get(url).content.decode()
    client.post(url, half, headers=HTMX)

    nobody = client.post(url, form_of(row.origin, day, consent="guardian"))
    assert (nobody.status_code, list(nobody.context["form"].errors)) == (422, ["consenter"])
    row.patient.birth_date = clock.today(clock.now()) - timedelta(days=9 * 366)
    row.patient.save()
    child = client.post(url, form_of(row.origin, day))
    assert (child.status_code, list(child.context["form"].errors)) == (409, ["consent"])
    client.post(url, form_of(row.origin, day, consent="guardian", consenter="李秀英（母亲）"))
    down = Referral.objects.get(direction="down")
    assert down.events.get(kind="sent").text == "李秀英（母亲）"
    late = client.post(url, half, headers=HTMX)
    assert (late.status_code, late["HX-Retarget"]) == (409, "#notices")
    assert down.number in late.content.decode()
    assert not [row for row in Session.objects.all() if "said" in row.get_decoded()]


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

    elsewhere = client.post(url, form_of(row.origin, day + timedelta(days=1), act="look", slot=slot))
    assert "请重选" in elsewhere.content.decode()  # never silently without a number

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
    assert "已经没有了，请重选" in answer.content.decode()
    assert not Referral.objects.filter(direction="down").exists()
