"""Which of the house's numbers hold (ExamRule), and which pools a booking of an exam may take from."""

from datetime import date

from django.db.models import Q

from appointments.models import Pool
from appointments.models.rules import Channel
from appointments.selectors import rules
from exams.models import ExamRequest, ExamRule


def exam_rule(organization_id: int, *, day: date) -> ExamRule:
    """In force on `day`; the model's defaults where the office wrote none."""
    rows = ExamRule.objects.filter(organization=organization_id, effective_from__lte=day)
    rows = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=day))
    return rows.order_by("effective_from", "pk").last() or ExamRule(organization_id=organization_id, effective_from=day)


def pools_for_exams(
    channel: str, *, organization_id: int, day: date, requests: list[ExamRequest], partner_id: int | None = None
) -> rules.ChannelPools:
    """P1, E10: the channel's pools as for consultations. The ward and requests of inpatients also take the inpatient
    reserve, emergencies the emergency reserve; a plan over several requests only what all of them may take."""
    held = rules.pools_for(channel, organization_id=organization_id, day=day, partner_id=partner_id)
    kinds = []
    if requests and all(each.priority == ExamRequest.Priority.EMERGENCY for each in requests):
        kinds.append(Pool.Kind.EMERGENCY)
    if channel == Channel.WARD or requests and all(each.inpatient for each in requests):
        kinds.append(Pool.Kind.INPATIENT)
    if not kinds:
        return held
    more = Pool.objects.filter(organization=organization_id, kind__in=kinds).values_list("pk", flat=True)
    return rules.ChannelPools(ids=(*held.ids, *more), public=held.public, team=held.team)
