"""Jobs of the ground floor. Each finds its own work, and running it twice does no harm."""

from celery import shared_task
from celery.signals import before_task_publish

from hospital import clock, heartbeats


@shared_task(ignore_result=True)
def heartbeat(**_kwargs):
    """The worker's sign of life (see heartbeats)."""
    heartbeats.beat("worker", now=clock.now())


@before_task_publish.connect(sender=heartbeat.name)
def _beat_is_alive(**_kwargs):
    """Beat's sign of life: nobody else publishes this task."""
    heartbeats.beat("beat", now=clock.now())
