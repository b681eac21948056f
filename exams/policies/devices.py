"""停机 and its patients: what may be taken down, until when somebody may answer. No query, no clock."""

from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from appointments.policies import stops
from exams.errors import CaseOver, CaseSettled, DowntimeWrong
from exams.models import DowntimeCase, ExamBooking
from exams.planner import STEP
from hospital import clock
from hospital.errors import Refused

BACK = timedelta(hours=24)
"""A fault may be written down later than it began, but not days later."""

LONGEST = timedelta(days=92)
NOTICE = timedelta(minutes=60)
"""Nobody is offered a time that begins before they can be there; who is in the house already may come at once."""

Answer = DowntimeCase.Answer


def refusal_to_take_down(during: DateTimeTZRange, *, now: datetime) -> Refused | None:
    if during.lower >= during.upper:
        return DowntimeWrong(why=_("结束要晚于开始"))
    if during.upper <= now:
        return DowntimeWrong(why=_("结束时间已经过去"))
    if during.lower < now - BACK:
        return DowntimeWrong(why=_("开始时间早于 24 小时前"))
    if during.upper - during.lower > LONGEST:
        return DowntimeWrong(why=_("超过 92 天；长期停用请在设备里停用"))
    return None


def deadline_of(start: datetime, *, now: datetime) -> datetime:
    """Until when an answer is waited for and the offer held: as of a stopped clinic, never less than two hours."""
    return stops.kept_until(stops.deadline_of(start, now=now), now=now)


def earliest_offer(booking: ExamBooking, *, now: datetime) -> datetime:
    return now if booking.status in ExamBooking.WAITING else now + NOTICE


def refusal_to_answer(case: DowntimeCase, booking: ExamBooking) -> Refused | None:
    """`booking` as it is under the lock. After the deadline an answer still counts while nobody has settled it."""
    if case.answer == Answer.GONE:
        return CaseOver(why=_("医院已另有安排"))
    if case.answer:
        return CaseSettled(answer=case.get_answer_display())
    if booking.holds or booking.status not in (ExamBooking.Status.BOOKED, *ExamBooking.WAITING):
        return CaseOver(why=_("这项检查已经处理过"))
    return None


def usable_minutes(during: DateTimeTZRange) -> int:
    """From the first whole step on, where an exam may begin."""
    zero = int(during.lower.timestamp()) // 60
    return int((during.upper - during.lower).total_seconds()) // 60 - -zero % STEP


def said(during: DateTimeTZRange) -> str:
    """11-25 14:00–16:00, or with both days."""
    start, end = during.lower.astimezone(clock.ZONE), during.upper.astimezone(clock.ZONE)
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%m-%d %H:%M}"
    return f"{start:%m-%d %H:%M}–{last}"
