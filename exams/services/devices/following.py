"""What time alone brings to displaced patients: nobody answered, nobody was reached, and the exam's day is over. Their
request is open again on the centre's list. Each minute; late, twice or after a gap it does no harm."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q

from exams.models import DowntimeCase
from exams.policies import devices as policy
from hospital import clock

from . import answers, cases

NOTE = "停机，到检查当天结束没有答复，转回待预约"
BATCH = 200

log = structlog.get_logger(__name__)


def follow_up(*, now: datetime) -> int:
    """How many cases were ended."""
    over = Q(booking__day__lt=clock.today(now))
    rows = DowntimeCase.objects.filter(over, answer="").select_related("booking", "offer").order_by("pk")[:BATCH]
    return sum(_guarded(case, now=now) for case in rows)


def _guarded(case: DowntimeCase, *, now: datetime) -> bool:
    """One that fails is logged and tried again in the next run; the others go on."""
    try:
        return _end(case, now=now)
    except Exception as error:
        log.exception("exam_case_follow_up_failed", case=case.pk, error=type(error).__name__)
        return False


@transaction.atomic
def _end(case: DowntimeCase, *, now: datetime) -> bool:
    row, rows = answers.held(case)
    if row.answer:
        return False
    settled = policy.refusal_to_answer(row, row.booking) is not None  # done on another page
    if not settled and any(cases.is_kept(each.offer, now=now) for each in rows):
        return False  # an offer of a later day still waits for its answer
    for each in rows:
        cases.settle(each, answer=cases.Answer.GONE, by=None, now=now)
        cases.drop_offer(each, by=None, now=now)
    if not settled:
        answers.cancel_all(rows, by=None, channel=cases.CHANNEL, note=NOTE, now=now)
    return True
