"""What PostgreSQL refuses, whoever writes (B22, O4)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction

from hospital.models import Consent, DataRequest, Notice, RetentionRule
from tests.factories import NOW, AccountFactory, ConsentFactory, NoticeFactory, PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db


def refused(error=IntegrityError):
    return pytest.raises(error)


def test_a_place_in_the_family_is_one_persons(account):
    RelatedPersonFactory(account=account, place=3)
    with refused(), transaction.atomic():
        RelatedPersonFactory(account=account, place=3, relation="child")
    RelatedPersonFactory(account=AccountFactory(), place=3)


@pytest.mark.parametrize("place", [0, 21])
def test_there_is_no_place_beyond_the_range(account, place):
    with refused(), transaction.atomic():
        RelatedPersonFactory(account=account, place=place)


def test_an_ended_binding_leaves_its_place(account):
    RelatedPersonFactory(account=account, place=1, ended_at=NOW)
    RelatedPersonFactory(account=account, place=1)


def test_there_is_one_self(account):
    RelatedPersonFactory(account=account, relation="self")
    with refused(), transaction.atomic():
        RelatedPersonFactory(account=account, relation="self", place=2)


def test_the_same_person_is_bound_once_to_an_account(account):
    patient = PatientFactory(account=account)
    with refused(), transaction.atomic():
        RelatedPersonFactory(account=account, patient=patient, relation="child", place=2)


def test_a_binding_does_not_end_before_it_began(account):
    with refused(), transaction.atomic():
        RelatedPersonFactory(account=account, ended_at=NOW - timedelta(seconds=1))


def test_a_published_notice_is_never_changed_or_deleted():
    notice = NoticeFactory()
    with refused(InternalError), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(text="anders")
    with refused(InternalError), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).delete()


def test_a_version_is_published_once():
    NoticeFactory(version=1)
    with refused(), transaction.atomic():
        NoticeFactory(version=1)


def test_a_consent_holds_once_for_account_notice_and_person(account):
    notice = NoticeFactory()
    ConsentFactory(account=account, notice=notice)
    with refused(), transaction.atomic():
        ConsentFactory(account=account, notice=notice)
    Consent.objects.update(withdrawn_at=NOW)
    ConsentFactory(account=account, notice=notice)


def test_one_request_of_a_kind_is_open_at_a_time(account):
    DataRequest.objects.create(account=account, kind="erasure", asked_at=NOW)
    with refused(), transaction.atomic():
        DataRequest.objects.create(account=account, kind="erasure", asked_at=NOW)


def test_a_refusal_carries_its_reason(account):
    with refused(), transaction.atomic():
        DataRequest.objects.create(account=account, kind="erasure", status="refused", asked_at=NOW, decided_at=NOW)


@pytest.mark.parametrize(("subject", "days"), [("visits", 15 * 365), ("trail", 183), ("codes", 0)])
def test_nothing_is_kept_shorter_than_the_law_says(subject, days):
    RetentionRule.objects.filter(subject=subject).delete()
    with refused(), transaction.atomic():
        RetentionRule.objects.create(subject=subject, days=days, source="—")
