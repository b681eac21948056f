"""Notices and consents (O4): asked once a version, never ticked beforehand, taken back at any time."""

import re
from datetime import date, timedelta
from importlib import import_module

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from hospital import consents
from hospital.models import AuditEvent, Consent, Notice, RelatedPerson
from tests.factories import NOW, ConsentFactory, NoticeFactory, OrganizationFactory, PatientFactory

pytestmark = pytest.mark.django_db

ASK = "/me/consent/"


def agree(client, notice, path=ASK, **fields):
    return client.post(path, {f"agree_{notice.pk}": "on", **fields})


def test_a_new_account_is_asked_at_its_first_page_and_comes_back_to_it(client, account):
    notice = NoticeFactory()

    asked = client.get("/me/family/")
    assert asked.url == f"{ASK}?next=%2Fme%2Ffamily%2F"
    page = client.get(asked.url).content.decode()
    tick = re.search(rf'<input[^>]*name="agree_{notice.pk}"[^>]*>', page)[0]
    assert "checked" not in tick

    assert agree(client, notice, next="/me/family/").url == "/me/family/"
    assert client.get("/me/family/").status_code == 200
    consent = Consent.objects.get()
    assert (consent.account, consent.notice, consent.patient, consent.given_at) == (account, notice, None, NOW)
    assert AuditEvent.objects.get(action="consent.given").subject == f"consent:{consent.pk}"


def test_no_tick_no_consent(client):
    NoticeFactory()
    page = client.post(ASK, {"next": "/me/family/"})
    assert page.status_code == 422
    assert "请先阅读并勾选" in page.content.decode()
    assert not Consent.objects.exists()


def test_who_does_not_agree_still_sees_the_public_pages_and_may_have_the_account_erased(client):
    NoticeFactory()
    page = client.get(ASK).content.decode()
    assert 'href="/book/departments/"' in page
    assert client.get("/me/family/").url.startswith(ASK)
    assert client.get("/me/erasure/").status_code == 200
    assert client.get("/me/export/").status_code == 200


def test_a_new_version_asks_again_even_in_a_session_that_stays(client, account, time_machine_at):
    old = NoticeFactory()
    agree(client, old)
    new = NoticeFactory(published_on=date(2026, 11, 24))
    assert client.get("/me/family/").status_code == 200

    time_machine_at(NOW + timedelta(days=1))
    assert client.get("/me/family/").url.startswith(ASK)
    assert "告知书有了新版本" in client.get(ASK).content.decode()
    agree(client, new)
    assert client.get("/me/family/").status_code == 200
    assert Consent.objects.filter(account=account).count() == 2


def test_nobody_agrees_to_a_version_that_was_replaced_while_the_page_was_open(account):
    old = NoticeFactory()
    NoticeFactory()
    with pytest.raises(consents.NotTheCurrentNotice):
        consents.give(account=account, notice=old, now=NOW)


def test_a_double_click_is_one_consent(account):
    notice = NoticeFactory()
    assert consents.give(account=account, notice=notice, now=NOW) == consents.give(
        account=account, notice=notice, now=NOW
    )


def test_asking_costs_no_query_between_two_looks(client, account):
    ConsentFactory(account=account, notice=NoticeFactory())
    client.get("/me/correction/")  # open without a consent: not looked up
    client.get("/me/privacy/")
    client.get("/me/family/")  # looked up here
    with CaptureQueriesContext(connection) as seen:
        client.get("/me/family/")
    assert not [query for query in seen if "privacy" in query["sql"]]


def test_before_any_notice_is_published_nothing_is_asked(client):
    assert client.get("/me/family/").status_code == 200


@pytest.mark.parametrize(
    ("born", "kinds"),
    [
        (date(1990, 1, 1), ["health"]),
        (date(2015, 1, 1), ["health", "child"]),
        (None, ["health"]),
    ],
)
def test_a_first_booking_needs_the_separate_consents_of_that_person(account, born, kinds):
    """O4: health data for each person, the children's rules for a child."""
    for kind in ("privacy", "health", "child"):
        NoticeFactory(kind=kind)
    patient = PatientFactory(account=account, birth_date=born)
    assert [notice.kind for notice in consents.missing(account, patient, NOW)] == kinds

    for notice in consents.missing(account, patient, NOW):
        consents.give(account=account, notice=notice, patient=patient, now=NOW)
    assert consents.missing(account, patient, NOW) == []
    other = PatientFactory(birth_date=born)
    assert len(consents.missing(account, other, NOW)) == len(kinds)


def test_what_is_missing_for_five_people_costs_three_queries(account, django_assert_num_queries):
    NoticeFactory(kind="health")
    people = [PatientFactory(account=account) for _n in range(5)]
    with django_assert_num_queries(3):
        lacking = consents.missing_for(account, people, NOW)
    assert [len(notices) for notices in lacking.values()] == [1] * 5


def test_the_persons_page_asks_for_each_notice_and_returns(client, account):
    notices = [NoticeFactory(kind="health"), NoticeFactory(kind="child")]
    child = PatientFactory(account=account, birth_date=date(2015, 1, 1))
    row = RelatedPerson.objects.get()
    path = f"/me/family/{row.pk}/consent/"
    ticks = {f"agree_{notice.pk}": "on" for notice in notices}

    assert "checked" not in client.get(path).content.decode()
    assert client.post(path, {f"agree_{notices[0].pk}": "on"}).status_code == 422
    assert not Consent.objects.exists()
    assert client.post(path, {**ticks, "next": "/book/who/"}).url == "/book/who/"
    assert {row.patient for row in Consent.objects.all()} == {child}
    assert client.get(f"{path}?next=/bookings/").url == "/bookings/"


def test_withdrawing_says_what_follows_and_asks_again_before_the_next_booking(client, account):
    notice = NoticeFactory(kind="health")
    patient = PatientFactory(account=account, name="周志明")
    consent = ConsentFactory(account=account, notice=notice, patient=patient)
    path = f"/me/privacy/{consent.pk}/withdraw/"

    page = client.get(path).content.decode()
    assert "周*明" in page
    assert "已约好的号仍然保留" in page
    assert client.post(path).url == "/me/privacy/"

    consent.refresh_from_db()
    assert consent.withdrawn_at == NOW
    assert consents.missing(account, patient, NOW) == [notice]
    assert AuditEvent.objects.filter(action="consent.withdrawn").count() == 1
    assert client.post(path).status_code == 404


def test_withdrawing_the_privacy_consent_closes_the_own_pages_at_once(client, account):
    notice = NoticeFactory()
    agree(client, notice)
    client.post(f"/me/privacy/{Consent.objects.get().pk}/withdraw/")
    assert client.get("/me/family/").url.startswith(ASK)


def test_withdrawing_ends_older_versions_of_the_same_purpose_too(account):
    old, new = NoticeFactory(kind="health"), NoticeFactory(kind="health")
    patient = PatientFactory(account=account)
    for notice in (old, new):
        ConsentFactory(account=account, notice=notice, patient=patient)
    other = ConsentFactory(account=account, notice=old, patient=PatientFactory())
    consents.withdraw(consent=Consent.objects.get(notice=new), now=NOW)
    assert list(Consent.objects.filter(withdrawn_at=None)) == [other]


def test_anothers_consent_can_not_be_withdrawn(client):
    theirs = ConsentFactory(notice=NoticeFactory(kind="health"))
    assert client.post(f"/me/privacy/{theirs.pk}/withdraw/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.withdrawn_at is None


def test_the_overview_lists_consents_by_purpose_with_masked_names(client, account):
    patient = PatientFactory(account=account, name="周志明")
    ConsentFactory(account=account, notice=NoticeFactory(kind="health"), patient=patient)
    page = client.get("/me/privacy/").content.decode()
    assert "周*明" in page
    assert "周志明" not in page
    assert "健康信息处理的单独同意" in page


@pytest.mark.parametrize("kind", Notice.Kind.values)
def test_notices_are_public_with_who_processes_and_how_long(published, kind):
    hospital = OrganizationFactory()
    hospital.phone = "0571-88886666"
    hospital.save()
    page = Client().get(f"/notices/{kind}/").content.decode()
    assert "江州市中心医院" in page
    assert "0571-88886666" in page
    assert "15 年" in page
    assert "医疗机构病历管理规定" in page


def test_older_versions_stay_readable_and_say_that_they_are_old(client):
    NoticeFactory(text="从前的话")
    NoticeFactory(text="现在的话")
    NoticeFactory(text="以后的话", published_on=date(2027, 1, 1))
    now, old = client.get("/notices/privacy/").content.decode(), client.get("/notices/privacy/1/").content.decode()
    assert "现在的话" in now
    assert "从前的话" in old
    assert "这是旧版本" in old
    assert client.get("/notices/privacy/3/").status_code == 404
    assert client.get("/notices/nothing/").status_code == 404


def test_notices_are_read_in_english_too(published):
    with translation.override("en"):
        words = consents.words_of(consents.current("privacy", now=NOW))
    assert words.title == "Privacy notice"
    assert not re.search(r"[\u3400-\u9fff]", "".join(part.text for part in words.parts))


def test_the_first_notices_say_what_the_law_asks_for():
    """个人信息保护法 articles 14, 17, 28–31, 44–50: purpose, kinds, time, rights, withdrawal, what refusal means."""
    texts = {
        kind: (text, text_en)
        for kind, _t, _e, text, text_en in import_module("hospital.migrations.0010_first_notices").NOTICES
    }
    assert set(texts) == set(Notice.Kind.values)
    for word in (
        "处理者",
        "手机号",
        "证件",
        "保存多久",
        "查看和复制",
        "更正",
        "撤回",
        "删除",
        "投诉",
        "不同意",
        "变更",
    ):
        assert word in texts["privacy"][0], word
    for word in ("敏感个人信息", "单独", "必须", "影响", "撤回"):
        assert word in texts["health"][0], word
    for word in ("14 周岁", "监护人", "撤回", "不同意"):
        assert word in texts["child"][0], word
    for text, text_en in texts.values():
        assert text.count("\n\n") == text_en.count("\n\n")
        assert text.count("# ") == text_en.count("# ")


@pytest.fixture
def time_machine_at():
    """Move the stopped clock."""
    moved = []

    def go(moment):
        travel = time_machine.travel(moment, tick=False)
        travel.start()
        moved.append(travel)

    yield go
    for travel in reversed(moved):
        travel.stop()
