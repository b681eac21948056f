"""Jobs of the ground floor. Each finds its own work, and running it twice does no harm."""

import time
from datetime import timedelta

from axes.models import AccessAttempt
from celery import shared_task
from celery.signals import before_task_publish
from django.contrib.sessions.backends.db import SessionStore

from hospital import clock, devices, heartbeats, messages, outbox, patient_index, personal_data
from hospital.integration import links, webhooks

FAILURES_KEPT = timedelta(days=1)
DELIVERING_SECONDS = 20
"""A long backlog is handed over in turns, so that a worker stays free for the other jobs."""


@shared_task(ignore_result=True)
def heartbeat(**_kwargs):
    """The worker's sign of life (see heartbeats)."""
    heartbeats.beat("worker", now=clock.now())


@before_task_publish.connect(sender=heartbeat.name)
def _beat_is_alive(**_kwargs):
    """Beat's sign of life: nobody else publishes this task."""
    heartbeats.beat("beat", now=clock.now())


@shared_task(ignore_result=True)
def deliver_facts(**_kwargs):
    """Hand due facts to their handlers until none is due. Woken after commits (best effort) and by beat."""
    until = time.monotonic() + DELIVERING_SECONDS
    while time.monotonic() < until:
        outbox.fan_out(now=clock.now())
        if not outbox.deliver(now=clock.now()):
            break


@shared_task(ignore_result=True)
def send_messages(**_kwargs):
    """Send what waits to be said, in the app and by SMS."""
    messages.send_waiting(now=clock.now())


@shared_task(ignore_result=True)
def push_events(**_kwargs):
    """Post what happened to the systems that asked for it. Woken after commits (best effort) and by beat."""
    until = time.monotonic() + DELIVERING_SECONDS
    while time.monotonic() < until and webhooks.send_due(limit=50):
        pass


@shared_task(ignore_result=True)
def tidy(**_kwargs):
    """Forget ended sessions, counted failures that no lock-out needs any more, and what RetentionRule says is over;
    the trail keeps what happened."""
    SessionStore.clear_expired()
    AccessAttempt.objects.filter(attempt_time__lt=clock.now() - FAILURES_KEPT).delete()
    personal_data.forget_what_is_over(now=clock.now())
    devices.forget_old(now=clock.now())
    links.forget_used(now=clock.now())
    webhooks.forget_sent(now=clock.now())


@shared_task(ignore_result=True)
def find_duplicates(**_kwargs):
    """疑似重复 (P10): pairs of records that may be one person, for the window to look at."""
    patient_index.find_all(now=clock.now())
