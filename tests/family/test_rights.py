"""Access and correction (O4): everything of the account and its own people, nothing of others."""

import json
from datetime import date, timedelta

import pytest
from django.test import Client

from hospital import messages
from hospital.models import AuditEvent, Condition, DataRequest, KnownDevice, Message, RelatedPerson
from hospital.personal_data import ask, carry_out_export, decide, drop
from hospital.personal_data.requests import AlreadyAsked, AlreadyDecided, AnswerMissing, NotYoursToDecide
from tests.factories import (
    NOW,
    AccountFactory,
    ConsentFactory,
    NoticeFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .conftest import signed_in
from .people import CARD, OTHER_CARD, registered

pytestmark = pytest.mark.django_db

EXPORT = "/me/export/"


@pytest.fixture
def household(account):
    """Oneself, a spouse, a child that one guards and a neighbour's child that one does not."""
    me = registered(name="李秀英", phone="13800136210")
    RelatedPersonFactory(account=account, patient=me, relation="self")
    Condition.objects.create(patient=me, kind="allergy", text="青霉素过敏")
    appointment_row(open_schedule(), me)
    ConsentFactory(account=account, notice=NoticeFactory(kind="health"), patient=me)
    KnownDevice.objects.create(user=account, digest="d" * 64, first_seen_at=NOW, last_seen_at=NOW)
    spouse = registered(name="周志明", number=OTHER_CARD, phone="13900136211", medical_number="M90000001")
    RelatedPersonFactory(account=account, patient=spouse, relation="spouse")
    Condition.objects.create(patient=spouse, kind="problem", text="高血压病")
    child = PatientFactory(name="周小宝", birth_date=date(2015, 1, 1))
    RelatedPersonFactory(account=account, patient=child, relation="child", guardian=True)
    other = PatientFactory(name="吴小妹", birth_date=date(2016, 1, 1))
    RelatedPersonFactory(account=account, patient=other, relation="other", guardian=False)
    stranger = PatientFactory(name="陌生人甲", account=AccountFactory(phone="13700000007"), medical_number="M90000009")
    messages.tell(patient=stranger, template="data.corrected", params={}, dedupe="s", now=NOW)
    return me, spouse, child


def exported(client) -> dict:
    response = client.post(EXPORT, {"form": "file"})
    assert response["Content-Type"].startswith("application/json")
    assert "attachment" in response["Content-Disposition"]
    return json.loads(response.content)


def test_the_copy_holds_everything_of_the_account_and_its_people(client, account, household):
    """O4: article 45; own data in full."""
    data = exported(client)

    assert data["account"][0]["phone"] == "13800000001"
    assert [row["relation"] for row in data["family"]] == ["本人", "配偶", "子女", "其他亲属"]
    assert data["consents"][0]["notice"] == "健康信息处理的单独同意"
    assert len(data["devices"]) == 1
    assert data["requests"][-1]["kind"] == "查阅与复制"
    me = data["people"][0]
    assert me["complete"] is True
    assert me["person"][0]["name"] == "李秀英"
    assert me["person"][0]["phone"] == "13800136210"
    assert me["documents"][0]["number"] == CARD
    assert me["conditions"][0]["text"] == "青霉素过敏"
    assert me["bookings"][0]["status"] == "已预约"
    assert {"noshows", "suspensions", "stop_cases", "waits", "messages", "trail"} <= set(me)


def test_of_another_adult_there_is_what_the_account_deals_with_and_no_records(client, household):
    spouse = exported(client)["people"][1]
    assert (spouse["complete"], spouse["person"][0]["name"]) == (False, "周志明")
    assert spouse["documents"][0]["number"] == "**** 0014"
    assert spouse["person"][0]["phone"] == "139****6211"
    assert "conditions" not in spouse
    assert "bookings" in spouse


def test_a_childs_data_goes_to_its_guardian_only(client, household):
    """O4: article 31."""
    names = [person["person"][0]["name"] for person in exported(client)["people"]]
    assert names == ["李秀英", "周志明", "周小宝"]


def test_there_is_nothing_of_anybody_else_in_it(client, household):
    text = json.dumps(exported(client), ensure_ascii=False) + client.post(EXPORT).content.decode()
    for of_others in ("陌生人甲", "13700000007", "吴小妹", "M90000009", OTHER_CARD, "13900136211", "高血压病"):
        assert of_others not in text


def test_the_same_is_read_as_a_page(client, household):
    page = client.post(EXPORT, {"form": "page"}).content.decode()
    for words in ("登录手机", "13800000001", "李秀英", "青霉素过敏", "已预约", "下载（电脑文件）"):
        assert words in page


def test_each_copy_leaves_a_request_and_a_trace_and_looking_at_the_button_none(client, account):
    client.get(EXPORT)
    assert not DataRequest.objects.exists()
    client.post(EXPORT)
    row = DataRequest.objects.get()
    assert (row.kind, row.status, row.decided_by, row.decided_at) == ("export", "done", account, NOW)
    event = AuditEvent.objects.get(action="personal_data.exported")
    assert (event.actor, event.subject) == (account, f"datarequest:{row.pk}")


@pytest.mark.parametrize("page", [EXPORT, "/me/erasure/", "/me/family/add/"])
def test_the_costly_pages_want_a_fresh_code(account, page):
    browser = Client()
    browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    for act in (browser.get, browser.post):
        assert act(page).url.startswith("/sign-in/again/?next=")
    assert not DataRequest.objects.exists()


def test_a_copy_costs_queries_by_person_not_by_row(account, household, django_assert_max_num_queries):
    me = household[0]
    schedule = open_schedule(numbers=10)
    for number in range(1, 9):
        appointment_row(schedule, me, number=number, self_service=False)
        messages.tell(patient=me, template="data.corrected", params={}, dedupe=f"n{number}", now=NOW)
    with django_assert_max_num_queries(62):
        copy = carry_out_export(account=account, now=NOW)
    assert len(copy.people) == 3


# ---- correction ----


def test_a_correction_is_asked_for_one_of_the_own_people(client, account):
    patient = PatientFactory(account=account, name="周志明")
    page = client.get(f"/me/correction/?person={patient.pk}").content.decode()
    assert "周*明" in page

    response = client.post("/me/correction/", {"person": patient.pk, "text": "出生日期写错了"})

    assert response.url == "/me/privacy/"
    row = DataRequest.objects.get()
    assert (row.kind, row.patient, row.status, row.text) == ("correction", patient, "asked", "出生日期写错了")
    assert "待处理" in client.get("/me/privacy/").content.decode()


def test_a_correction_for_another_accounts_person_is_refused(client, account):
    PatientFactory(account=account)
    theirs = RelatedPersonFactory().patient
    assert client.post("/me/correction/", {"person": theirs.pk, "text": "x"}).status_code == 422
    assert not DataRequest.objects.exists()


def test_a_second_open_request_is_refused_in_words(client, account):
    patient = PatientFactory(account=account)
    said = {"person": patient.pk, "text": "写错了"}
    client.post("/me/correction/", said)
    again = client.post("/me/correction/", said)
    assert again.status_code == 409
    assert "正在处理" in again.content.decode()
    with pytest.raises(AlreadyAsked):
        ask(account=account, kind="correction", patient=patient, now=NOW)


def test_the_office_answers_a_correction_and_the_person_is_told(account):
    row = ask(account=account, kind="correction", patient=PatientFactory(), now=NOW)
    office = StaffFactory(roles="office")

    decide(row=row, agreed=False, answer="请带证件到窗口核对。", by=office, now=NOW + timedelta(days=1))

    row.refresh_from_db()
    assert (row.status, row.decided_by, row.answer) == ("refused", office, "请带证件到窗口核对。")
    told = messages.wording_of(Message.objects.get(channel="inapp"))
    assert "请带证件到窗口核对。" in told.body
    with pytest.raises(AlreadyDecided):
        decide(row=row, agreed=True, answer="", by=office, now=NOW)


def test_a_refusal_without_a_reason_is_none(account):
    row = ask(account=account, kind="correction", patient=PatientFactory(), now=NOW)
    with pytest.raises(AnswerMissing):
        decide(row=row, agreed=False, answer=" ", by=StaffFactory(roles="office"), now=NOW)


@pytest.mark.parametrize(
    ("kind", "role", "allowed"),
    [
        ("erasure", "secadmin", True),
        ("erasure", "office", False),
        ("correction", "office", True),
        ("correction", "secadmin", False),
        ("erasure", "auditor", False),
        ("correction", "counter", False),
    ],
)
def test_who_answers_what(account, kind, role, allowed):
    row = ask(account=account, kind=kind, now=NOW)
    act = {"row": row, "agreed": False, "answer": "理由", "by": StaffFactory(roles=role), "now": NOW}
    if allowed:
        assert decide(**act).status == "refused"
        return
    with pytest.raises(NotYoursToDecide):
        decide(**act)
    row.refresh_from_db()
    assert row.status == "asked"


def test_a_request_is_taken_back_by_its_own_account_only(client, account):
    mine, theirs = ask(account=account, kind="erasure", now=NOW), ask(account=AccountFactory(), kind="erasure", now=NOW)
    assert client.post(f"/me/requests/{theirs.pk}/drop/").status_code == 404
    assert client.post(f"/me/requests/{mine.pk}/drop/").url == "/me/privacy/"
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.status, mine.answer, theirs.status) == ("refused", "本人撤回申请。", "asked")
    with pytest.raises(AlreadyDecided):
        drop(row=mine, now=NOW)
    assert ask(account=account, kind="erasure", now=NOW)


def test_an_ended_person_is_not_copied_any_more(client, account, household):
    RelatedPerson.objects.filter(patient=household[1]).update(ended_at=NOW)
    assert [person["person"][0]["name"] for person in exported(client)["people"]] == ["李秀英", "周小宝"]


def test_a_copy_is_of_the_signed_in_account(household):
    stranger = AccountFactory(phone="13600000006")
    data = exported(signed_in(stranger))
    assert data["people"] == []
    assert data["account"][0]["phone"] == "13600000006"
