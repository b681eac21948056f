"""Jobs of the exams. Each finds its own work by query: running it late, twice or after a gap does no harm."""

import structlog
from celery import shared_task
from celery.signals import beat_init

from exams.services import devices
from hospital import clock

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def lay_out_devices(**_kwargs):
    """开机时段, nightly: the devices' coming sessions as their weekly hours and the calendar want them."""
    for organization, said in devices.lay_out_all(now=clock.now()):
        log.info("device_sessions_laid_out", organization=organization, **said)


@beat_init.connect
def _catch_up_on_devices(**_kwargs):
    """A house that sleeps at night lays out a minute after it wakes."""
    lay_out_devices.apply_async(countdown=60, expires=3600)
