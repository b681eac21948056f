"""B23: the admission office's pages, the consult room's panel, the patient's own page."""

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.urls import reverse

from hospital.messages.wording import wording_of
from hospital.models import Message, RoleAssignment
from referrals.models import AdmissionRequest
from referrals.services import admission
from referrals.services.admission_notices import remind
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    CommunityFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    ReferralFactory,
    RelatedPersonFactory,
    StaffFactory,
)

from .test_admission import SOON, asked, ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client):
    user = StaffFactory(roles="referral", full_name="转诊办")
    client.force_login(user)
    return user


def act(client, row, name, **said):
    return client.post(reverse("referrals:admission_act", args=[row.pk, name]), said)


def test_the_office_takes_a_request_from_a_referral_to_the_ward(client, office):
    """B23, all by forms that need no script."""
    referral = ReferralFactory(status="accepted")
    page = f"{reverse('referrals:admission_new')}?referral={referral.pk}"
    assert referral.diagnosis in client.get(page).content.decode()
    said = {
        "kind": "day", "urgency": "soon", "department": referral.department.pk, "diagnosis": "dnjs",
        "diagnosis_code": "K80.2", "purpose": "腹腔镜胆囊切除", "wished_from": SOON.isoformat(),
        "needs": ["blood", "anaesthesia"], "more": "家属陪同\n\n",
    }  # fmt: skip
    answer = client.post(page, said)
    row = AdmissionRequest.objects.get()
    assert answer.url == reverse("referrals:admission", args=[row.pk])
    assert (row.diagnosis, row.diagnosis_code) == ("胆囊结石不伴有胆囊炎", "K80.2")
    assert row.needs.count() == 3

    act(client, row, "approve")
    assert "还缺3项" in client.get(answer.url).content.decode()
    for need, how in zip(row.needs.all(), ["done", "waive", "done"], strict=True):
        client.post(reverse("referrals:admission_need", args=[row.pk, need.pk]), {"how": how})
    act(client, row, "schedule", day=TODAY.isoformat(), place="外科楼 3 层")
    act(client, row, "admit")
    act(client, row, "admit")  # a double click
    row.refresh_from_db()
    assert row.status == "admitted"
    said = client.get(answer.url).content.decode()
    assert "登记入院" in said
    assert "免做入院前准备：麻醉评估" in said  # which one
    assert said.count(reverse("referrals:down_admission", args=[row.pk])) == 1


def test_wrong_input_is_said_in_place_and_everything_typed_stays(client, office):
    referral = ReferralFactory(status="accepted")
    page = f"{reverse('referrals:admission_new')}?referral={referral.pk}"
    said = {
        "kind": "ward", "urgency": "urgent", "department": "999999", "diagnosis": " ", "purpose": "剖宫产术",
        "wished_from": "2020-01-01", "wished_to": "2019-01-01", "more": "长" * 101,
    }  # fmt: skip
    answer = client.post(page, said)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"department", "diagnosis", "wished_from", "more"}
    assert 'value="剖宫产术"' in shown
    assert 'value="2020-01-01"' in shown
    assert client.get(reverse("referrals:admission_new")).status_code == 404

    row = ready(office)
    late = (TODAY + timedelta(days=400)).isoformat()
    answer = act(client, row, "schedule", day=late, place="外科楼")
    assert answer.status_code == 422
    assert "请重选日期" in answer.content.decode()
    assert f'value="{late}"' in answer.content.decode()
    assert act(client, row, "schedule", day="x", place="").status_code == 422
    assert "请填写“原因”" in act(client, row, "cancel", reason=" ").content.decode()
    assert act(client, row, "admit").status_code == 409
    assert client.post(reverse("referrals:admission_act", args=[row.pk, "schedule"])).status_code == 422


def test_the_list_shows_the_urgent_first_then_what_is_late_masked_and_narrowed(
    client, office, django_assert_max_num_queries
):
    later = asked(office, patient=PatientFactory(name="张小明", pinyin="zhangxiaoming", initials="zxm"))
    late = ready(office, patient=PatientFactory(name="李秀英", pinyin="lixiuying", initials="lxy"))
    admission.schedule(request=late, day=TODAY, place="", by=office, now=NOW)
    AdmissionRequest.objects.filter(pk=late.pk).update(scheduled_on=TODAY - timedelta(days=1))
    urgent = asked(office, urgency="urgent", kind="day", needs=())
    with django_assert_max_num_queries(14):
        answer = client.get(reverse("referrals:admissions"))
    assert [line["row"].pk for line in answer.context["lines"]] == [urgent.pk, late.pk, later.pk]
    assert "张小明" not in answer.content.decode()
    counts = {tab: count for tab, _label, count in answer.context["tabs"]}
    assert (counts["open"], counts["asked"], counts["scheduled"]) == (3, 2, 1)
    narrowed = client.get(reverse("referrals:admissions"), {"q": "zxm", "tab": "asked", "page": "x"})
    assert [line["row"].pk for line in narrowed.context["lines"]] == [later.pk]
    assert "没有找到" in client.get(reverse("referrals:admissions"), {"q": "无此人"}).content.decode()
    assert (
        client.get(reverse("referrals:admissions"), {"tab": "bad", "kind": "x", "department": "x"}).status_code == 200
    )


def test_another_hospital_and_another_ward_find_nothing_and_the_asking_doctor_only_follows(client):
    """P10"""
    row = asked(StaffFactory(roles="referral"))
    page = reverse("referrals:admission", args=[row.pk])
    elsewhere = OrganizationFactory(code="H9", name="别的医院", short_name="别院")
    other_ward = StaffFactory(roles="ward")
    RoleAssignment.objects.filter(user=other_ward).update(department=DepartmentFactory(code="W2", name="骨科"))
    for stranger in (StaffFactory(roles="referral", roles__at=elsewhere), other_ward, StaffFactory(roles="doctor")):
        client.force_login(stranger)
        assert client.get(page).status_code == 404
        assert act(client, row, "approve").status_code == 404
        assert client.get(reverse("referrals:admissions")).context["lines"] == []
    doctor = StaffFactory(roles="doctor")
    mine = asked(doctor, kind="day")
    client.force_login(doctor)
    assert "审核通过" not in client.get(reverse("referrals:admission", args=[mine.pk])).content.decode()
    assert act(client, mine, "approve").status_code == 409
    assert act(client, mine, "cancel", reason="患者改变主意").status_code == 302


def test_the_patient_sees_when_where_and_what_is_missing_and_only_whose_binding_was_proved(client):
    """B23, V: on the phone, in plain words."""
    office, account, other = StaffFactory(roles="referral"), AccountFactory(), AccountFactory()
    patient = PatientFactory(name="周桂明")
    RelatedPersonFactory(account=account, patient=patient, proof="window")
    RelatedPersonFactory(account=other, patient=patient, proof="registered")
    row = ready(office, patient=patient)
    admission.schedule(request=row, day=SOON, place="外科楼 3 层", by=office, now=NOW)
    page = reverse("referrals:my_admissions")
    client.force_login(account)
    said = client.get(page).content.decode()
    assert "外科楼 3 层" in said
    assert "周*明" in said
    assert "胆囊结石" not in said
    home = client.get(reverse("appointments:patient_home")).content.decode()
    assert "看安排和准备" in home
    AdmissionRequest.objects.filter(pk=row.pk).update(scheduled_on=TODAY - timedelta(days=1))
    assert "安排的日子已经过了" in client.get(page).content.decode()
    admission.put_off(request=row, reason="床位紧张", by=office, now=NOW)
    assert "床位紧张" in client.get(page).content.decode()
    Message.objects.filter(channel="inapp").update(status="sent", sent_at=NOW)
    assert f'href="{page}"' in client.get("/messages/").content.decode()
    client.force_login(other)
    assert "外科楼" not in client.get(page).content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", ["ward", "day"])
def test_each_message_says_what_and_whose_turn_it_is_and_the_eve_once(language, kind):
    office = StaffFactory(roles="referral")
    row = ready(office, kind=kind, patient=PatientFactory(name="周桂明"))
    admission.schedule(request=row, day=SOON, place="外科楼 3 层", by=office, now=NOW)
    eve = NOW + timedelta(days=2)
    assert [remind(now=NOW), remind(now=eve), remind(now=eve)] == [0, 1, 1]
    admission.put_off(request=row, reason="床位紧张", by=office, now=NOW)
    admission.cancel(request=row, reason="患者要求", by=office, now=NOW)
    refused = admission.refuse(request=asked(office, kind=kind), reason="门诊可做", by=office, now=NOW)
    rows = Message.objects.filter(channel="sms", template__startswith="admission.")
    texts = {row.template: wording_of(row, language=language) for row in rows}
    assert (len(rows), len(texts)) == (5, 5), refused
    for words in texts.values():
        assert words.title
        assert "胆囊" not in words.body
        assert "{" not in words.body
    assert "外科楼 3 层" in texts["admission.scheduled"].body
    if language == "zh-hans":
        assert f"{SOON.month}月{SOON.day}日" in texts["admission.scheduled"].body
        assert "周*明" in texts["admission.scheduled"].body


def test_both_sides_of_a_referral_see_how_its_admission_stands(client, rf):
    """R4: the sender reads it, the hospital opens it and may ask for another."""
    office = StaffFactory(roles="referral")
    referral = ReferralFactory(status="accepted")
    row = asked(office, patient=referral.patient, referral=referral, needs=())
    drawn = {}
    for user in (office, referral.by):
        request = rf.get("/")
        request.user = user
        page = Template("{% load referral_admission %}{% admissions referral %}")
        drawn[user] = page.render(Context({"request": request, "referral": referral}))

    assert f"/admissions/{row.pk}/" in drawn[office]
    assert "申请住院" in drawn[office]
    assert "待审核" in drawn[referral.by]
    assert "/admissions/" not in drawn[referral.by]


@pytest.mark.parametrize(
    ("role", "address"),
    [("referral", "/"), ("referral", "/referral-office/"), ("referral", "/admissions/"), ("partner", "/partner/"),
     ("partner", "/follow-ups/")],
)  # fmt: skip
def test_who_works_with_referrals_sees_that_something_was_said_to_them(client, role, address):
    """R4: pressing by message reaches somebody."""
    OrganizationFactory()
    user = StaffFactory(roles=role, **({"roles__at": CommunityFactory()} if role == "partner" else {}))
    said = {"template": "referral.to_office", "params": {}, "about": "referral:1", "created_at": NOW}
    for n, sent in enumerate([{"status": "sent", "sent_at": NOW}, {"status": "waiting"}]):
        Message.objects.create(user=user, channel="inapp", dedupe=f"m{n}", next_try_at=NOW, **sent, **said)
    client.force_login(user)
    shown = client.get(address).content.decode()
    assert 'href="/messages/"' in shown
    assert "1条未读" in shown
