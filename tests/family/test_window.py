"""At the window, with the document in hand (B22, O4): bind a person to an account, correct a record."""

from datetime import date

import pytest

from hospital.models import AccountPhone, AuditEvent, Consent, Message, Patient, RelatedPerson
from tests.factories import NoticeFactory, PatientFactory, RelatedPersonFactory, StaffFactory

from .conftest import signed_in
from .people import registered

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return StaffFactory(roles="counter")


@pytest.fixture
def desk(clerk):
    return signed_in(clerk)


def bind(desk, patient, **fields):
    said = {"phone": "138 0000 0001", "relation": "parent", "seen": "on", **fields}
    confirmed = {"account": AccountPhone.objects.get().user_id} if AccountPhone.objects.exists() else {}
    return desk.post(f"/desk/patients/{patient.pk}/bind/", said | confirmed)


def correct(desk, patient, **fields):
    said = {"name": patient.name, "sex": patient.sex, "birth_date": patient.birth_date or "", "seen": "on", **fields}
    return desk.post(f"/desk/patients/{patient.pk}/correct/", said)


def test_a_person_without_a_phone_is_bound_after_the_document_was_seen(desk, clerk, account):
    patient = registered(phone="")

    assert bind(desk, patient).url == f"/desk/patients/{patient.pk}/"

    row = RelatedPerson.objects.get()
    assert (row.account, row.patient, row.relation, row.proof) == (account, patient, "parent", "desk")
    event = AuditEvent.objects.get(action="family.added")
    assert (event.actor, event.detail["proof"]) == (clerk, "desk")


def test_the_registered_person_is_told_of_a_binding_at_the_window(desk, account):
    bind(desk, registered(phone="13800136210"))
    assert {row.channel for row in Message.objects.filter(template="family.bound")} == {"sms", "inapp"}


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"seen": ""}, 422, "没有核验证件不能绑定"),
        ({"phone": "13999999999"}, 409, "还没有在网上登录过"),
        ({"phone": "12"}, 422, "手机号码不对"),
    ],
)
def test_what_the_window_refuses(desk, account, fields, status, words):
    page = bind(desk, registered(phone=""), **fields)
    assert page.status_code == status
    assert words in page.content.decode()
    assert not RelatedPerson.objects.exists()


def test_a_full_family_is_full_at_the_window_too(desk, account):
    for _n in range(5):
        RelatedPersonFactory(account=account)
    assert bind(desk, registered(phone="")).status_code == 409


def test_a_child_is_bound_when_the_guardian_has_signed(desk, account):
    NoticeFactory(kind="child")
    child = PatientFactory(birth_date=date(2015, 1, 1))
    assert bind(desk, child, relation="child").status_code == 422
    assert bind(desk, child, relation="child", agreed="on").status_code == 302
    assert RelatedPerson.objects.get().guardian
    assert Consent.objects.get().patient == child


@pytest.mark.parametrize(
    ("role", "allowed"), [("counter", True), ("office", True), ("triage", False), ("phone", False)]
)
@pytest.mark.parametrize("act", ["bind", "correct"])
def test_who_may_do_it(role, allowed, act):
    patient = PatientFactory()
    window = signed_in(StaffFactory(roles=role))
    assert window.get(f"/desk/patients/{patient.pk}/{act}/").status_code == (200 if allowed else 403)


def test_the_desk_offers_it_to_the_window_and_not_to_triage(desk):
    patient = PatientFactory()
    page = f"/desk/patients/{patient.pk}/"
    assert "绑定到手机账号" in desk.get(page).content.decode()
    assert "绑定到手机账号" not in signed_in(StaffFactory(roles="triage")).get(page).content.decode()


def test_a_record_is_corrected_by_the_document_and_the_change_is_in_the_trail(desk, clerk):
    patient = PatientFactory(name="李秀莹", birth_date=date(1960, 1, 1))

    assert correct(desk, patient, name="李秀英", birth_date="1959-03-01").status_code == 302

    patient.refresh_from_db()
    assert (patient.name, patient.pinyin, str(patient.birth_date)) == ("李秀英", "lixiuying", "1959-03-01")
    event = AuditEvent.objects.get(action="patient.corrected")
    assert (event.actor, event.detail) == (clerk, {"fields": ["birth_date", "name"]})


def test_nothing_is_written_beside_what_the_card_says(desk):
    patient = registered(birth_date=date(1949, 12, 31), sex="F")
    page = correct(desk, patient, birth_date="1950-01-01")
    assert page.status_code == 422
    assert "出生日期与证件号码里的不一致" in page.content.decode()
    patient.refresh_from_db()
    assert patient.birth_date == date(1949, 12, 31)


@pytest.mark.parametrize("fields", [{"seen": ""}, {"name": " "}, {"birth_date": "2030-01-01"}, {"phone": "12"}])
def test_a_correction_that_can_not_be_is_refused(desk, fields):
    patient = PatientFactory(name="李秀英")
    assert correct(desk, patient, **fields).status_code == 422
    assert Patient.objects.get().name == "李秀英"


def test_a_new_phone_reaches_the_record_and_the_persons_own_account(desk, account):
    patient = PatientFactory(account=account, phone="13800000001")
    assert correct(desk, patient, phone="139 0000 0009").status_code == 302
    patient.refresh_from_db()
    assert patient.phone == "13900000009"
    assert AccountPhone.objects.get(user=account).phone == "13900000009"


def test_without_a_change_there_is_nothing_in_the_trail(desk):
    correct(desk, PatientFactory())
    assert not AuditEvent.objects.filter(action="patient.corrected").exists()
