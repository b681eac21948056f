"""A name and a document number are for sale: they don't open what the hospital holds of a person (B16, O4)."""

import json
from datetime import date

import pytest

from hospital import family, messages
from hospital.models import AuditEvent, Condition, Patient, RelatedPerson
from hospital.patients import DocumentMismatch
from hospital.personal_data import close_account
from tests.factories import (
    NOW,
    AccountFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .conftest import signed_in
from .people import CARD, CHILD_CARD, person, registered

pytestmark = pytest.mark.django_db

SELF, PARENT = "self", "parent"


def add(account, **fields):
    return family.add(account=account, person=person(**fields), now=NOW)


def copied(client) -> dict:
    return json.loads(client.post("/me/export/", {"form": "file"}).content)["people"][0]


def visits(patient, account):
    """One booked at the hospital, one by the account."""
    schedule = open_schedule(numbers=4)
    office = appointment_row(schedule, patient, number=1, self_service=False)
    mine = appointment_row(schedule, patient, number=2, self_service=False, by=account)
    return office, mine


@pytest.fixture
def unproved(account):
    row = add(account)
    Condition.objects.create(patient=row.patient, kind="problem", text="高血压病")
    return row


@pytest.fixture
def desk():
    return signed_in(StaffFactory(roles="counter"))


def test_whom_only_the_account_registered_is_copied_without_records(client, account, unproved):
    """O4: until a window has seen the document there is only what the account did itself."""
    visits(unproved.patient, account)
    copy = copied(client)
    assert copy["complete"] is False
    assert not {"conditions", "messages", "trail"} & set(copy)
    assert len(copy["bookings"]) == 1
    assert CARD not in json.dumps(copy)


def test_bookings_of_the_hospital_appear_after_the_window_has_seen_the_document(client, account, unproved, desk):
    office, mine = visits(unproved.patient, account)
    assert client.get(f"/bookings/{mine.pk}/").status_code == 200
    assert client.get(f"/bookings/{office.pk}/").status_code == 404
    assert "窗口核验证件" in client.get("/me/family/").content.decode()
    assert "窗口核验" in client.get(f"/me/family/{unproved.pk}/").content.decode()

    said = {"phone": "13800000001", "relation": SELF, "seen": "on", "account": account.pk}
    assert desk.post(f"/desk/patients/{unproved.patient_id}/bind/", said).status_code == 302

    unproved.refresh_from_db()
    assert (unproved.proof, unproved.ended_at) == ("desk", None)
    assert client.get(f"/bookings/{office.pk}/").status_code == 200
    assert copied(client)["complete"] is True


def test_messages_of_the_hospital_wait_for_the_window_too(client, account, unproved):
    messages.tell(patient=unproved.patient, template="data.corrected", params={}, dedupe="x", now=NOW)
    messages.send_waiting(now=NOW)
    before = client.get("/messages/").content.decode()
    RelatedPerson.objects.update(proof="desk")
    assert "更正" in client.get("/messages/").content.decode()
    assert "更正" not in before


def test_a_phone_that_an_account_typed_proves_nothing(account):
    """Registering, unbinding and adding again, or adding from the second phone that was typed."""
    row = add(account, phone="13800000002")
    second = AccountFactory(phone="13800000002")
    assert add(second).proof == "registered"
    Patient.objects.update(phone="13800000001")
    family.unbind(row=row, by=account, now=NOW)
    assert add(account).proof == "registered"


def test_the_window_sees_who_is_bound_and_ends_it_with_a_reason(desk, account, unproved):
    page = f"/desk/patients/{unproved.patient_id}/bind/"
    shown = desk.get(page).content.decode()
    for words in ("138****0001", "本人", "本账号建档", "2026-11-23"):
        assert words in shown

    end = f"{page}{unproved.pk}/end/"
    desk.post(end, {"reason": ""})
    assert family.people_of(account)
    assert desk.post(end, {"reason": "not_agreed"}).url == page

    assert family.people_of(account) == []
    assert AuditEvent.objects.get(action="family.ended").detail["reason"] == "not_agreed"
    assert Patient.objects.get().phone == ""
    triage = signed_in(StaffFactory(roles="triage"))
    assert triage.post(end, {"reason": "asked"}).status_code == 403


@pytest.mark.parametrize(("was", "becomes"), [("spouse", "self"), ("self", "spouse")])
def test_nobody_becomes_oneself_on_the_web(client, account, was, becomes):
    """O4: the copy of oneself is whole."""
    row = RelatedPersonFactory(account=account, relation=was)
    page = client.post(f"/me/family/{row.pk}/", {"relation": becomes})
    assert page.status_code == 409
    assert "到窗口更改" in page.content.decode()
    row.refresh_from_db()
    assert row.relation == was


def test_a_guardians_access_ends_with_childhood(client, account):
    """O4: article 31 speaks of the child."""
    grown = PatientFactory(birth_date=date(2012, 11, 23))  # fourteen today
    child = PatientFactory(birth_date=date(2012, 11, 24))
    for each in (grown, child):
        RelatedPersonFactory(account=account, patient=each, relation="child", guardian=True)
    copies = json.loads(client.post("/me/export/", {"form": "file"}).content)["people"]
    assert [copy["complete"] for copy in copies] == [False, True]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"birth_date": NOW.date()}, DocumentMismatch),
        ({"sex": "M"}, DocumentMismatch),
        ({"number": CHILD_CARD, "relation": "child"}, family.policies.GuardianNeeded),
    ],
)
def test_what_contradicts_the_number_is_answered_alike_for_known_and_unknown(account, known, fields, refusal):
    """B16: no oracle of who is a patient here."""
    if known:
        registered(name="周志明", number=fields.get("number", CARD))
    with pytest.raises(refusal):
        add(account, **fields)


def test_every_refusal_after_a_look_counts(account):
    registered(phone="")
    with pytest.raises(family.GoToTheWindow):
        add(account)
    assert family.wrong_today(account, now=NOW) == 1


def test_a_closed_account_leaves_its_phone_on_nobodys_record(account):
    mother = PatientFactory(account=account, phone="13800000001")
    other = PatientFactory(account=account, phone="13900000002")
    close_account(account=account, by=account, now=NOW)
    assert [Patient.objects.get(pk=each.pk).phone for each in (mother, other)] == ["", "13900000002"]


@pytest.mark.parametrize(("relation", "phone"), [(PARENT, ""), (SELF, "13800000001")])
def test_unbinding_takes_the_accounts_phone_off_anothers_record(client, account, relation, phone):
    patient = PatientFactory(phone="13800000001")
    row = RelatedPersonFactory(account=account, patient=patient, relation=relation)
    page = client.get(f"/me/family/{row.pk}/end/").content.decode()
    assert ("会一并删除" in page) is (phone == "")
    family.unbind(row=row, by=account, now=NOW)
    patient.refresh_from_db()
    assert patient.phone == phone


def test_the_window_shows_whose_account_it_is_before_it_binds(desk, account):
    PatientFactory(account=account, name="周志明")
    patient = registered(phone="")
    said = {"phone": "13800000001", "relation": PARENT, "seen": "on"}
    page = f"/desk/patients/{patient.pk}/bind/"

    asked = desk.post(page, said).content.decode()

    assert "周*明" in asked
    assert "上次登录" in asked
    assert desk.post(page, {**said, "account": AccountFactory().pk}).status_code == 200
    assert family.bound_to(patient) == []
    assert desk.post(page, {**said, "account": account.pk}).status_code == 302
    assert len(family.bound_to(patient)) == 1
