"""What a patient is asked before choosing a time (E4)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from exams.models import ExamRequest, ScreeningQuestion
from exams.policies.screening import age_on
from exams.selectors.rules import exam_rule
from exams.selectors.screening import questions_for
from hospital import clock


def questions_ahead(requests: Iterable[ExamRequest], *, now: datetime) -> list[ScreeningQuestion]:
    """Of requests of one person and house: what concerns them today, and on any day that can be chosen. A birthday
    before the exam must not bring up a question that nobody could answer."""
    requests = list(requests)
    patient, variants = requests[0].patient, [each.variant for each in requests]
    today = clock.today(now)
    last = today + timedelta(days=exam_rule(requests[0].organization_id, day=today).horizon_days)
    asked = questions_for(variants, patient=patient, day=today)
    born = patient.birth_date
    if age_on(today, born=born) == age_on(last, born=born):
        return asked
    later = questions_for(variants, patient=patient, day=last)
    known = {question.pk for question in asked}
    return [*asked, *(question for question in later if question.pk not in known)]
