"""What is over is deleted at night (O4), and not a day earlier."""

from datetime import timedelta

import pytest

from hospital import messages, tasks
from hospital.models import AuditEvent, CodeSent, Message, RetentionRule
from hospital.personal_data import forget_what_is_over, retention
from tests.factories import NOW, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules():
    RetentionRule.objects.all().delete()
    RetentionRule.objects.create(subject="messages", days=365, source="本院规定")
    RetentionRule.objects.create(subject="codes", days=2, source="本院规定")


def told(*, days: int, status="sent"):
    at = NOW - timedelta(days=days)
    messages.tell(patient=PatientFactory(), template="data.corrected", params={}, dedupe=f"{days}{status}", now=at)
    Message.objects.filter(created_at=at).update(status=status)


def test_messages_go_after_their_time_and_waiting_ones_stay():
    told(days=400)
    told(days=366)
    told(days=365)
    told(days=370, status="waiting")

    assert forget_what_is_over(now=NOW)["messages"] == 4

    assert sorted((NOW - row.created_at).days for row in Message.objects.filter(channel="sms")) == [365, 370]
    assert forget_what_is_over(now=NOW)["messages"] == 0


def test_more_than_a_batch_goes(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for days in (500, 450, 400, 10):
        told(days=days)
    assert forget_what_is_over(now=NOW)["messages"] == 6


def test_counted_codes_go_after_two_days():
    for hours in (47, 49):
        CodeSent.objects.create(purpose="sign_in", phone_hash="h", device="d", sent_at=NOW - timedelta(hours=hours))
    tasks.tidy()
    assert [(NOW - row.sent_at).total_seconds() / 3600 for row in CodeSent.objects.all()] == [47]


def test_without_a_rule_no_message_is_touched():
    RetentionRule.objects.all().delete()
    told(days=4000)
    forget_what_is_over(now=NOW)
    assert Message.objects.count() == 2


def test_the_trail_stays():
    AuditEvent.objects.create(at=NOW - timedelta(days=4000), action="x")
    forget_what_is_over(now=NOW)
    assert AuditEvent.objects.exists()


@pytest.mark.parametrize(("days", "words"), [(0, "注销账号时删除"), (2, "2 天"), (365, "1 年"), (5479, "15 年")])
def test_the_time_is_said_in_words(days, words):
    RetentionRule.objects.all().delete()
    RetentionRule.objects.create(subject="account" if days < 5479 else "visits", days=days, source="—")
    assert [line.how_long for line in retention.lines()] == [words]
