"""O4: what the referrals hold of a person is in the copy; a draft that nobody sent is emptied."""

from datetime import timedelta

import pytest

from hospital.models import SignedResident
from hospital.personal_data import ahead_of, copy_of
from referrals.models import AdmissionRequest, CarePlan, FollowUp, Referral
from referrals.services import forgetting
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
)

pytestmark = pytest.mark.django_db
SOON = TODAY + timedelta(days=3)


@pytest.fixture
def account():
    return AccountFactory()


def cared_for(patient) -> Referral:
    up = ReferralFactory(patient=patient)
    down = ReferralFactory(
        patient=patient, direction="down", origin=up.receiver, receiver=up.origin, status="accepted", due_at=None
    )
    CarePlan.objects.create(
        referral=down, medication="氨氯地平", warning_signs="胸痛", follow_up_on=SOON, follow_up_at=up.origin
    )
    FollowUp.objects.create(referral=down, patient=patient, organization=up.origin, due_on=SOON)
    AdmissionRequest.objects.create(
        organization=up.receiver, patient=patient, department=DepartmentFactory(name="骨科"), kind="ward", by=up.by,
        diagnosis="股骨骨折", purpose="手术", wished_from=TODAY, status="scheduled", scheduled_on=SOON, asked_at=NOW,
    )  # fmt: skip
    SignedResident.objects.create(
        patient=patient, organization=up.origin, effective_from=TODAY, effective_to=SOON, note="基础包"
    )
    return up


def test_a_copy_of_oneself_holds_referrals_plans_and_requests_and_of_another_adult_none(account):
    me, spouse = PatientFactory(), PatientFactory()
    for person, relation in ((me, "self"), (spouse, "spouse")):
        RelatedPersonFactory(account=account, patient=person, relation=relation)
        cared_for(person)
    mine, theirs = copy_of(account, now=NOW).as_data()["people"]
    assert [row["direction"] for row in mine["referrals"]] == ["上转", "下转"]
    assert mine["referrals"][1]["plan_medication"] == "氨氯地平"
    assert mine["admission_requests"][0]["diagnosis"] == "股骨骨折"
    assert [row["organization"] for row in mine["follow_ups"]] == ["柳堤社区卫生服务中心"]
    assert [row["note"] for row in mine["signed"]] == ["基础包"]
    for section in ("referrals", "admission_requests", "follow_ups", "signed"):
        assert theirs[section] == []


def test_what_was_promised_for_a_day_to_come_is_told_before_an_account_is_closed(account):
    patient = PatientFactory(name="周志明", account=account)
    cared_for(patient)
    assert ahead_of([patient.pk], now=NOW, account=account) == [
        "周*明 11月26日 住院 骨科", "周*明 11月26日 柳堤社区卫生服务中心随访",
    ]  # fmt: skip


def test_a_draft_of_a_month_is_emptied_and_what_was_sent_stays():
    old, young = (
        ReferralFactory(status="draft", created_at=NOW - timedelta(days=days), department=None) for days in (31, 29)
    )
    sent = ReferralFactory(
        created_at=NOW - timedelta(days=400), origin=CommunityFactory(), receiver=OrganizationFactory()
    )
    assert [forgetting.forget_drafts(now=NOW) for _twice in range(2)] == [1, 0]
    for row in (old, young, sent):
        row.refresh_from_db()
    assert (old.status, old.history, old.diagnosis, old.consent) == ("withdrawn", "", "", "")
    assert (young.status, young.history != "") == ("draft", True)
    assert sent.history
    assert old.events.get().detail == {"why": "draft_too_old"}
