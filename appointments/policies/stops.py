"""停诊与替诊 (B13): what may be stopped, who may step in, until when a patient is asked. No query, no clock."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from appointments.errors import NoSubstituteHere, QuestionOver, SessionOver, SubstituteUnfit
from appointments.models import Schedule, StopCase
from hospital.errors import Refused
from hospital.models import HealthcareService, PractitionerRole

ANSWER_WITHIN = timedelta(hours=24)
BEFORE_THE_VISIT = timedelta(hours=2)
"""rules.md: an answer is asked within 24 h or 2 h before the session, whichever is first."""

KEPT_AT_LEAST = timedelta(hours=2)
"""A stop at the last moment has its deadline at once, and its patients still come before the public for so long."""

RANKS = {level: rank for rank, level in enumerate(HealthcareService.Level.values)}


def deadline_of(starts_at: datetime, *, now: datetime) -> datetime:
    """Until when a patient's answer is waited for before somebody calls. Never before now."""
    return max(now, min(now + ANSWER_WITHIN, starts_at - BEFORE_THE_VISIT))


def kept_until(deadline: datetime, *, now: datetime) -> datetime:
    """Until when numbers are kept for the touched patients."""
    return max(deadline, now + KEPT_AT_LEAST)


def is_of_level(level: str, *, wanted: str) -> bool:
    """The same level or above."""
    return RANKS[level] >= RANKS[wanted]


def refusal_to_stop(schedule: Schedule, *, now: datetime) -> Refused | None:
    return SessionOver() if schedule.ends_at <= now else None


def may_be_substituted(schedule: Schedule) -> bool:
    """A doctor's own session; a team, a plain clinic and a leading expert's gated numbers have no one person to be."""
    return bool(schedule.role_id) and not schedule.gate_team_id


def refusal_to_substitute(
    schedule: Schedule, role: PractitionerRole, *, leads: bool, away: bool, now: datetime
) -> Refused | None:
    """`leads`: the doctor leads a team (B11); `away`: has a stop of their own then. `schedule` with service and role,
    `role` with service and practitioner."""
    if schedule.ends_at <= now:
        return SessionOver()
    if not may_be_substituted(schedule):
        return NoSubstituteHere()
    if role.practitioner_id == schedule.role.practitioner_id:
        why = _("就是这次出诊的医生")
    elif not (role.active and role.practitioner.active):
        why = _("已停用")
    elif role.department_id != schedule.department_id:
        why = _("不在这个科室出诊")
    elif not is_of_level(role.service.level, wanted=schedule.service.level):
        why = _("级别低于原医生")
    elif leads:
        why = _("领衔专家只接受组内转诊")
    elif away:
        why = _("这个时间自己停诊")
    else:
        return None
    return SubstituteUnfit(who=str(role.practitioner), why=why)


def refusal_to_answer(case: StopCase, *, start: datetime, booked: bool, now: datetime) -> Refused | None:
    """After the deadline an answer still counts while the visit is ahead and nobody has settled it.

    `start` and `booked` are of the appointment as it is under the lock.
    """
    if case.answer == StopCase.Answer.GONE:
        return QuestionOver(why=_("医院已另有安排"))
    if not booked:
        return QuestionOver(why=_("这个号已经处理过了"))
    if start <= now:
        return QuestionOver(why=_("就诊时间已到"))
    return None
