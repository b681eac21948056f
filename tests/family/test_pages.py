"""The family's pages (B22): what is typed stays, what is refused is said, another's pages are not there."""

import re

import pytest

from hospital import family
from hospital.models import Consent, GatewayReceipt, Patient, RelatedPerson
from tests.factories import (
    NOW,
    AccountFactory,
    NoticeFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .conftest import signed_in
from .people import CHILD_CARD, registered, typed

pytestmark = pytest.mark.django_db

ADD, CODE = "/me/family/add/", "/me/family/code/"


def last_code() -> str:
    return re.search(r"\d{6}", GatewayReceipt.objects.latest("pk").text)[0]


def test_adding_oneself_leads_back_to_where_the_person_came_from(client, account):
    response = client.post(ADD, typed(next="/book/departments/"))

    assert (response.status_code, response.url) == (302, "/book/departments/")
    row = RelatedPerson.objects.get()
    assert (row.account, row.relation, row.patient.name) == (account, "self", "李秀英")


def test_the_last_step_of_booking_gets_the_new_person_back_chosen(client):
    step = "/book/who/?slot=7%402026-11-26T08%3A00%3A00%2B08%3A00"
    response = client.post(ADD, typed(next=f"{step}&patient=99"))

    assert response.url == f"{step}&patient={RelatedPerson.objects.get().patient_id}"


def test_a_foreign_address_is_no_place_to_go_back_to(client):
    assert client.post(ADD, typed(next="https://evil.example/")).url == "/me/family/"


def test_after_adding_the_separate_consent_is_asked(client):
    NoticeFactory(kind="health")
    response = client.post(ADD, typed(next="/book/departments/"))
    row = RelatedPerson.objects.get()
    assert response.url == f"/me/family/{row.pk}/consent/?next=%2Fbook%2Fdepartments%2F"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"number": "110105194912310021"}, "number"),
        ({"relation": ""}, "relation"),
        ({"relation": "boss"}, "relation"),
        ({"kind": "passport", "number": "E12345678"}, "birth_date"),
        ({"kind": "passport", "number": "E12345678", "birth_date": "1990-02-30", "sex": "F"}, "birth_date"),
        ({"phone": "12"}, "phone"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(client, wrong, field):
    response = client.post(ADD, typed(**wrong))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Patient.objects.exists()


def test_a_wrong_form_opens_at_its_first_wrong_field_and_says_so_above_all(client):
    page = client.post(ADD, typed(number="110105194912310021", phone="12")).content.decode()

    assert re.search(r"<title>有误：添加就诊人</title>", page)
    assert re.search(r'role="alert">.*?有 2 处要改.*?href="#id_number".*?href="#id_phone"', page, re.S)
    field = re.search(r'<input[^>]*name="number"[^>]*>', page)[0]
    assert ("autofocus" in field, 'aria-invalid="true"' in field) == (True, True)
    assert re.search(r'aria-describedby="[^"]*id_number_error', field)
    assert page.count("autofocus") == 1


def test_the_ticks_for_a_child_are_announced_when_they_appear(client):
    NoticeFactory(kind="child")
    page = client.post(ADD, typed(name="李小宝", number=CHILD_CARD, relation="child")).content.decode()

    assert "<title>有误：" in page
    assert 'role="alert"' in page
    assert "autofocus" in re.search(r'<input[^>]*name="guardian"[^>]*>', page)[0]


def test_back_from_adding_leads_to_the_times_that_were_being_chosen(client):
    page = client.get(f"{ADD}?next=/book/who/%3Fschedule%3D7%26start%3D2026-11-25T08:30:00%252B08:00").content.decode()
    assert 'href="/book/back/?schedule=7&amp;start=2026-11-25T08:30:00%2B08:00"' in page
    assert 'class="topbar__back" href="/me/family/"' in client.get(f"{ADD}?next=/me/").content.decode()


def test_a_passport_comes_with_birth_date_and_sex(client):
    said = typed(name="Anna Berg", kind="passport", number="E12345678", birth_date="1990-03-07", sex="F")
    assert client.post(ADD, said).status_code == 302
    assert str(Patient.objects.get().birth_date) == "1990-03-07"


def test_a_refusal_keeps_what_was_typed(client):
    registered(name="周志明")
    page = client.post(ADD, typed(phone="13900000000"))
    assert page.status_code == 422
    assert "姓名和证件号码对不上" in page.content.decode()
    assert 'value="13900000000"' in page.content.decode()


def test_a_child_is_asked_for_its_guardian_on_a_second_look(client):
    NoticeFactory(kind="child")
    said = typed(name="李小宝", number=CHILD_CARD, relation="child")

    first = client.post(ADD, said)

    text = first.content.decode()
    assert first.status_code == 422
    assert 'name="guardian"' in text
    assert "/notices/child/" in text
    assert "checked" not in re.findall(r'<input[^>]*name="guardian"[^>]*>', text)[0]
    assert not Patient.objects.exists()

    half = client.post(ADD, {**said, "asks_guardian": "1", "guardian": "on"})
    assert half.context["form"].errors == {"child_rules": ["请阅读后勾选同意。"]}

    whole = client.post(ADD, {**said, "asks_guardian": "1", "guardian": "on", "child_rules": "on"})
    assert whole.status_code == 302
    assert RelatedPerson.objects.get().guardian
    assert Consent.objects.get().notice.kind == "child"


def test_a_registered_persons_phone_answers_a_code(client, account):
    """B22: the code goes to the phone of the record, shown masked; the right one binds."""
    patient = registered(phone="13800136210")

    assert (
        client.post(ADD, typed(relation="parent", next="/book/departments/")).url
        == f"{CODE}?next=%2Fbook%2Fdepartments%2F"
    )
    page = client.get(CODE).content.decode()
    assert "138****6210" in page
    assert "13800136210" not in page
    assert GatewayReceipt.objects.get().to == "138****6210"

    wrong = client.post(CODE, {"code": f"{(int(last_code()) + 1) % 10**6:06d}"})
    assert wrong.status_code == 422
    assert not RelatedPerson.objects.exists()

    right = client.post(CODE, {"code": last_code(), "next": "/book/departments/"})
    assert right.url == "/book/departments/"
    row = RelatedPerson.objects.get()
    assert (row.account, row.patient, row.relation, row.proof) == (account, patient, "parent", "phone")


def test_a_code_page_without_anybody_to_add_leads_to_the_form(client):
    assert client.get(CODE).url == ADD


def test_a_second_code_is_not_sent_at_once_and_the_first_goes_on_to_hold(client):
    registered()
    client.post(ADD, typed())
    again = client.post(ADD, typed())
    assert again.url == CODE
    assert GatewayReceipt.objects.count() == 1


def test_another_accounts_code_page_does_not_take_the_code(client):
    registered()
    client.post(ADD, typed())
    stranger = signed_in(AccountFactory())
    assert stranger.post(CODE, {"code": last_code()}).url == ADD
    assert not RelatedPerson.objects.exists()


def test_adding_wants_a_fresh_code_of_the_account_itself(client):
    session = client.session
    session["code_at"] = NOW.timestamp() - 901
    session.save()
    assert client.get(ADD).url.startswith("/sign-in/again/?next=")


def test_the_list_shows_masked_names_and_what_is_still_missing(client, account, django_assert_max_num_queries):
    NoticeFactory(kind="health")
    for name in ("李秀英", "周志明", "欧阳海"):
        PatientFactory(account=account, name=name)
    client.get("/me/family/")
    with django_assert_max_num_queries(10):
        page = client.get("/me/family/").content.decode()
    assert "李*英" in page
    assert "李秀英" not in page
    assert page.count("预约前还需要您的同意") == 3


def test_a_full_family_is_told_so_and_not_offered_a_sixth(client, account):
    for _n in range(5):
        RelatedPersonFactory(account=account)
    page = client.get("/me/family/").content.decode()
    assert "一个账号最多 5 位" in page
    assert 'href="/me/family/add/"' not in page


def test_the_persons_own_page_shows_the_full_name_and_only_the_last_four(client, account):
    patient = registered()
    row = RelatedPersonFactory(account=account, patient=patient)
    page = client.get(f"/me/family/{row.pk}/").content.decode()
    assert "李秀英" in page
    assert "**** 002X" in page
    assert "110105" not in page
    assert "138****6210" in page


def test_the_relation_is_changed(client, account):
    row = RelatedPersonFactory(account=account, relation="other")
    assert client.post(f"/me/family/{row.pk}/", {"relation": "parent"}).status_code == 302
    row.refresh_from_db()
    assert row.relation == "parent"


def test_unbinding_says_what_becomes_of_the_bookings_and_they_stay(client, account):
    """B22: bookings stay; whoever has the document still comes."""
    patient = PatientFactory(account=account, name="周志明")
    booked = appointment_row(open_schedule(), patient)
    row = RelatedPerson.objects.get()

    page = client.get(f"/me/family/{row.pk}/end/").content.decode()
    assert "已约好的号仍然保留" in page
    assert "周*明" in page
    assert family.is_mine(account, patient.pk)

    assert client.post(f"/me/family/{row.pk}/end/").url == "/me/family/"
    booked.refresh_from_db()
    assert booked.status == "booked"
    assert not family.is_mine(account, patient.pk)


PAGES = ["/me/family/{}/", "/me/family/{}/end/", "/me/family/{}/consent/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("act", ["get", "post"])
def test_anothers_person_by_a_guessed_id_is_not_found(client, page, act):
    """B22: another's, an ended one and one that never was look the same."""
    NoticeFactory(kind="health")
    theirs = RelatedPersonFactory()
    ended = RelatedPersonFactory(ended_at=NOW)
    for pk in (theirs.pk, ended.pk, 999999):
        assert getattr(client, act)(page.format(pk), {"relation": "other"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.ended_at is None
    assert not Consent.objects.exists()


@pytest.mark.parametrize("page", ["/me/family/", "/me/family/add/", "/me/privacy/", "/me/export/", "/me/erasure/"])
def test_staff_have_no_family_here_and_strangers_sign_in_first(client, page):
    assert signed_in(StaffFactory(roles="office")).get(page).status_code == 403
    client.logout()
    assert client.get(page).url.startswith("/sign-in/?next=")
