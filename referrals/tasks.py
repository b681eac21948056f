"""What happens to a referral by the clock. Each job finds its own work: late, twice or after a gap does no harm."""

import structlog
from celery import shared_task

from hospital import clock
from referrals.services import admission_notices, attachments, escalation, forgetting, green, scanning

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def scan_attachments(**_kwargs):
    """查毒, where the house has a scanner (SCANNER_COMMAND)."""
    if scanned := scanning.scan_waiting(now=clock.now()):
        log.info("attachments_scanned", count=scanned)


@shared_task(ignore_result=True)
def remind_of_admissions(**_kwargs):
    """入院提醒 on the eve."""
    if told := admission_notices.remind(now=clock.now()):
        log.info("admissions_reminded", count=told)


@shared_task(ignore_result=True)
def tidy_attachments(**_kwargs):
    """Nightly: stored files that no attachment speaks of; and what a new scanner has not seen yet."""
    scanning.catch_up()
    if gone := attachments.clean_up(now=clock.now()):
        log.info("attachments_swept", count=gone)


@shared_task(ignore_result=True)
def forget_drafts(**_kwargs):
    """Nightly: drafts that nobody sent in a month are emptied (O4)."""
    if gone := forgetting.forget_drafts(now=clock.now()):
        log.info("drafts_forgotten", count=gone)


@shared_task(ignore_result=True)
def escalate_referrals(**_kwargs):
    """催办, each minute: a deadline that passed, a green channel that nobody answered (R4, R5)."""
    if told := escalation.escalate(now=clock.now()):
        log.info("referrals_escalated", count=told)
    if told := green.escalate(now=clock.now()):
        log.info("green_calls_escalated", count=told)
