"""B23: an admission is asked for in the consult room, of the patient who is in it."""

import pytest
from django.urls import reverse

from referrals.models import AdmissionRequest
from tests.exams.consult.rooms import room_with_a_patient

from .test_admission import SOON

pytestmark = pytest.mark.django_db
PAGE = "/consult/?kind=admission"


@pytest.fixture
def room(client):
    return room_with_a_patient(client)


def typed(room, **more):
    inside = room.waiting[0]
    place = room.schedule.department
    said = {
        "encounter": inside.pk, "kind": "ward", "urgency": "routine", "department": place.pk,
        "diagnosis": "胆囊结石", "purpose": "腹腔镜胆囊切除", "wished_from": SOON.isoformat(), "needs": ["blood"],
    }  # fmt: skip
    return said | more


def ask(client, room, **more):
    return client.post(reverse("referrals:admission_consult"), typed(room, **more), headers={"HX-Request": "true"})


def test_it_is_asked_without_leaving_the_room_and_stands_under_what_is_booked(client, room):
    """B23: patient, doctor and visit are known; nothing is typed twice."""
    assert "申请" in client.get(PAGE).content.decode()
    answer = ask(client, room)
    row = AdmissionRequest.objects.get()
    assert (row.encounter, row.patient, row.doctor) == (room.waiting[0], room.waiting[0].patient, room.doctor)
    assert "已申请" in answer.content.decode()
    assert "腹腔镜胆囊切除" in client.get("/consult/?kind=booked").content.decode()


def test_a_refusal_and_wrong_input_come_back_into_the_form_with_all_that_was_typed(client, room):
    ask(client, room)
    again = ask(client, room)
    assert again.status_code == 409
    assert again["HX-Retarget"] == "#work"
    assert 'value="腹腔镜胆囊切除"' in again.content.decode()
    wrong = ask(client, room, diagnosis="", purpose="剖宫产术")
    assert wrong.status_code == 422
    assert 'value="剖宫产术"' in wrong.content.decode()
    assert AdmissionRequest.objects.count() == 1


def test_a_page_of_the_patient_before_asks_for_nobody(client, room):
    answer = ask(client, room, encounter=room.waiting[1].pk)
    assert answer.status_code == 409
    assert not AdmissionRequest.objects.exists()
