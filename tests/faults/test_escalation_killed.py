"""R4, X2: the worker killed while it presses for answers, and while it tells another system: each deadline is told
once, every event arrives."""

from datetime import timedelta

import pytest
from celery import Celery

from hospital import clock
from hospital.models import Webhook
from referrals.models import Referral
from referrals.services import escalation
from tests.factories import DepartmentFactory, OrganizationFactory, PatientFactory, ReferralFactory
from tests.integration.ends import SECRET, End
from tests.integration.hooks import due_again, fan_out, send

from .jobs import ask, await_that, kill_family

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LATE = 8
PRESSED = "SELECT count(*) FROM referrals_referralevent WHERE kind = 'escalated'"
SENT = "SELECT count(*) FROM hospital_webhookdelivery WHERE status = 'sent'"


@pytest.fixture
def end(tmp_path):
    (tmp_path / "end").mkdir()
    end = End(tmp_path / "end").start()
    Webhook.objects.create(
        organization=OrganizationFactory(), name="his", url=end.url, secret=SECRET, topics=["referral.escalated"]
    )
    yield end
    end.stop()


def overdue(now) -> None:
    """Referrals whose answer was due an hour ago."""
    yesterday, department = now - timedelta(days=1), DepartmentFactory()
    first = None
    for _n in range(LATE):
        first = ReferralFactory(
            patient=PatientFactory(), department=department, due_at=now - timedelta(hours=1), created_at=yesterday,
            sent_at=yesterday, consented_at=yesterday, **({"by": first.by, "origin": first.origin} if first else {}),
        )  # fmt: skip


@pytest.mark.parametrize("slow_disk", ["INSERT ON referrals_referralevent"], indirect=True)
def test_a_worker_killed_while_pressing_and_while_telling_does_each_once(jobs, end, slow_disk):
    overdue(clock.now())
    beat = Celery("beat", broker=jobs.environment["REDIS_URL"], set_as_current=False)
    worker = jobs.worker()
    beat.send_task("referrals.tasks.escalate_referrals")
    await_that(lambda: ask(PRESSED) >= 2, seconds=100, because="the first are pressed for")
    kill_family(worker)
    assert ask(PRESSED) < LATE, "killed too late to prove anything"

    left = LATE - ask(PRESSED)
    assert escalation.escalate(now=clock.now()) == left
    assert escalation.escalate(now=clock.now()) == 0
    end.behave(delay=0.3)
    worker = jobs.worker()
    for task in ("deliver_facts", "push_events"):
        beat.send_task(f"hospital.tasks.{task}")
    await_that(lambda: ask(SENT) >= 2, seconds=100, because="the receiver hears of it")
    kill_family(worker)
    assert ask(SENT) < LATE, "killed too late to prove anything"

    end.behave()
    fan_out()
    while ask(SENT) < LATE:
        due_again()  # the pause after a claim is a minute
        send()
    assert ask(PRESSED) == ask(PRESSED.replace("*", "DISTINCT referral_id")) == LATE
    heard = {event["data"]["referral"] for event in end.events()}
    assert heard == set(Referral.objects.values_list("pk", flat=True))
