"""Several simple exams of one person held by their own account in one plan (E3)."""

from datetime import datetime
from uuid import uuid4

from appointments.models.rules import Channel
from exams.errors import PlanGone
from exams.models import ExamPlan, ExamRequest
from exams.services import booking as core
from exams.services import planning
from exams.services.self_service import held_of
from hospital.models import User


def hold(*, requests: list[ExamRequest], token: str, by: User, now: datetime | None) -> ExamPlan:
    """All exams of a proposed plan, or none. Another plan of the same exams replaces what is held."""
    patient = requests[0].patient
    lines = planning.lines_of(token, patient)
    if {line.request_id for line in lines} != {each.pk for each in requests}:
        raise PlanGone
    held = next((each for each in held_of(requests).values() if each.plan_id), None)
    return core.hold_plan(
        patient=patient,
        lines=lines,
        channel=Channel.WEB,
        by=by,
        basket=held.basket if held else uuid4(),
        figures=planning.figures_of(token, patient),
        now=now,
    )
