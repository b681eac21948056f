"""Jobs of the heart. Each finds its own work by query: running it late, twice or after a gap does no harm."""

from datetime import datetime, timedelta

import structlog
from celery import shared_task
from celery.signals import beat_init

from appointments.models import JobRun
from appointments.services import (
    changes,
    cutover,
    drafts,
    noshow,
    notices,
    planning,
    releasing,
    retiming,
    runs,
    stops,
    supply,
    waitlist,
)
from appointments.services.importing import uploads
from hospital import clock
from hospital.models import Organization

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def lay_out_schedules(**_kwargs):
    """排班生成, nightly: every organization's published templates, today and the days ahead. A night on which nothing
    was added leaves no row."""
    now = clock.now()
    today = clock.today(now)
    with runs.start(JobRun.Job.LAY_OUT, due_at=now, now=now) as run:
        for organization in Organization.objects.filter(active=True, templates__active=True).distinct().order_by("id"):
            laid = planning.lay_out(
                organization=organization, first_day=today, last_day=today + timedelta(days=planning.AHEAD), now=now
            )
            said = laid.counts()
            if laid.added:
                run.moved(laid.added, detail=run.row.detail | {organization.code: said})
                run.row.detail[organization.code] = said
            log.info("schedules_laid_out", organization=organization.code, **said)  # by name: manage.py lay_out


def _moment() -> datetime:
    """The database's clock decides (O7): a worker whose own is ahead must share no number and end no hold early."""
    return clock.deciding() or changes.database_now()


@beat_init.connect
def _catch_up_on_schedules(**_kwargs):
    """A house that sleeps at night (a laptop, a repair) lays out a minute after it wakes."""
    lay_out_schedules.apply_async(countdown=60, expires=3600)


@shared_task(ignore_result=True)
def release_numbers(**_kwargs):
    """放号: each minute, what is open by its own moment."""
    releasing.release(now=_moment())


@shared_task(ignore_result=True)
def follow_up_supply(**_kwargs):
    """号源回收: each minute, what is due by its own moment."""
    supply.follow_up(now=_moment())


@shared_task(ignore_result=True)
def lapse_holds(**_kwargs):
    """锁号到期, each minute."""
    supply.lapse_holds(now=_moment())


@shared_task(ignore_result=True)
def mark_noshows(**_kwargs):
    """爽约, after each schedule's end."""
    noshow.mark_noshows(now=_moment())


@shared_task(ignore_result=True)
def follow_up_stops(**_kwargs):
    """停诊, each minute: the rest of what was ordered or undone, numbers kept for patients, unanswered visits."""
    stops.follow_up(now=_moment())


@shared_task(ignore_result=True)
def follow_up_waitlist(**_kwargs):
    """候补, each minute: offers within the hours, ends at the cut-off, whatever no fact told of."""
    waitlist.follow_up(now=_moment())


@shared_task(ignore_result=True)
def remind_patients(**_kwargs):
    """就诊提醒 on the eve, from the rule's hour on."""
    notices.remind(now=clock.now())


@shared_task(ignore_result=True)
def go_on_with_imports(**_kwargs):
    """切换导入: what an office user started and no worker has finished; and previews that nobody decided on."""
    uploads.forget_old(now=clock.now())
    cutover.continue_all(clock_now=clock.now, deciding=clock.deciding)


@shared_task(ignore_result=True)
def go_on_retiming(**_kwargs):
    """作息时间调整: sessions that no worker has moved yet."""
    retiming.continue_all(now=_moment())


@shared_task(ignore_result=True)
def go_on_publishing(**_kwargs):
    """排班草稿: days of a published draft that no request has finished."""
    drafts.continue_all(now=_moment())
