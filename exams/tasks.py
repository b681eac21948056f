"""Jobs of the exams. Each finds its own work by query: running it late, twice or after a gap does no harm."""

import structlog
from celery import shared_task
from celery.signals import beat_init

from appointments.services.sql import database_now
from exams.services import devices, holds, noshow, reminders, reports
from exams.services.reports import files
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


@shared_task(ignore_result=True)
def lapse_exam_holds(**_kwargs):
    """锁定到期, each minute."""
    if lapsed := holds.lapse(now=clock.deciding() or database_now()):
        log.info("exam_holds_lapsed", count=lapsed)


@shared_task(ignore_result=True)
def follow_up_downtimes(**_kwargs):
    """停机: each minute, displaced patients whose exam's day is over without an answer."""
    if ended := devices.follow_up(now=clock.deciding() or database_now()):
        log.info("exam_cases_ended", count=ended)


@shared_task(ignore_result=True)
def follow_up_critical(**_kwargs):
    """危急值: each minute, those that nobody acknowledged in time."""
    if told := reports.escalate(now=clock.now()):
        log.warning("critical_values_escalated", count=told)


@shared_task(ignore_result=True)
def tidy_report_files(**_kwargs):
    """Nightly: stored files that no report speaks of."""
    if gone := files.clean_up(now=clock.now()):
        log.info("report_files_swept", count=gone)


@shared_task(ignore_result=True)
def remind_of_exams(**_kwargs):
    """检查提醒 on the eve, and on the eve of a long preparation."""
    if told := reminders.remind(now=clock.now()):
        log.info("exams_reminded", count=told)


@shared_task(ignore_result=True)
def mark_exam_noshows(**_kwargs):
    """检查爽约, each minute: who is too late; and, half a day later, who was checked in and forgotten."""
    if marked := noshow.mark(now=clock.deciding() or database_now()):
        log.info("exam_noshows_marked", count=marked)
