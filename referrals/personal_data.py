"""What the referrals hold of a person, for the copy that people may ask for, and what they still have coming (O4).

Referrals, plans and admission requests are records: another adult's are theirs to ask for. They stay for the time of
visits (RetentionRule); a draft that nobody sent is emptied after a month (services.forgetting).
"""

from datetime import datetime

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hospital import clock, family, masking
from hospital.models import Patient, User
from hospital.personal_data import Entry, Field, Section, holds, lies_ahead, means

from .models import AdmissionRequest, FollowUp, Referral
from .selectors import trail_words

means(trail_words.ACTIONS)


@holds
def referrals(patient: Patient, whole: bool, by: User | None) -> Section:
    """With the plan that went down, and the names of what was attached."""
    rows = Referral.objects.filter(patient=patient) if whole and by is None else Referral.objects.none()
    rows = rows.select_related("origin", "receiver", "department", "doctor", "plan__follow_up_at")
    found = rows.prefetch_related("attachments", "events").order_by("created_at", "pk")
    return Section("referrals", _("转诊单"), [_referral(row) for row in found])


@holds
def follow_ups(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = FollowUp.objects.filter(patient=patient) if whole and by is None else FollowUp.objects.none()
    found = rows.select_related("organization").order_by("due_on", "pk")
    return Section("follow_ups", _("随访"), [_follow_up(row) for row in found])


@holds
def admission_requests(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = AdmissionRequest.objects.filter(patient=patient) if whole and by is None else AdmissionRequest.objects.none()
    rows = rows.select_related("organization", "department", "doctor").prefetch_related("needs")
    return Section("admission_requests", _("住院申请"), [_admission(row) for row in rows.order_by("asked_at", "pk")])


@lies_ahead
def care_to_come(patients: list[int], now: datetime, account: User | None) -> list[str]:
    """周*明 11月26日 住院 心血管内科: what was promised for a day to come."""
    today, mine = clock.today(now), family.seen(account, own=Q(by=account)) if account else Q()
    beds = AdmissionRequest.objects.filter(mine, patient__in=patients, status="scheduled", scheduled_on__gte=today)
    calls = FollowUp.objects.filter(mine, patient__in=patients, done_at=None, due_on__gte=today)
    found = [
        (row.scheduled_on, row.patient, f"{row.get_kind_display()} {row.department.name}")
        for row in beds.select_related("patient", "department")
    ]
    found += [
        (row.due_on, row.patient, _("%(who)s随访") % {"who": row.organization.name})
        for row in calls.select_related("patient", "organization")
    ]
    return [
        f"{masking.name(person.name)} {date_format(day, _('n月j日'))} {what}"
        for day, person, what in sorted(found, key=lambda each: (each[0], each[1].pk))
    ]


def _referral(row: Referral) -> Entry:
    files = _("；").join(each.name for each in row.attachments.all() if not each.removed_at)
    trail = _("；").join(f"{each.get_kind_display()} {each.text}".strip() for each in row.events.all())
    return [
        Field("number", _("转诊单号"), row.number),
        Field("direction", _("方向"), row.get_direction_display()),
        Field("origin", _("转出机构"), row.origin.name),
        Field("receiver", _("接收机构"), row.receiver.name),
        Field("department", _("拟转科室"), row.department.name if row.department else None),
        Field("doctor", _("转诊医生"), row.doctor.name if row.doctor else None),
        Field("urgency", _("紧急程度"), row.get_urgency_display()),
        Field("reason", _("转诊理由"), row.reason),
        Field("diagnosis", _("初步诊断"), f"{row.diagnosis_code} {row.diagnosis}".strip()),
        Field("history", _("病史摘要"), row.history),
        Field("medication", _("目前用药"), row.medication),
        Field("allergies", _("过敏史"), row.allergies),
        Field("results", _("检查检验结果"), row.results),
        Field("consent", _("知情同意"), row.get_consent_display()),
        Field("consented_at", _("同意时间"), row.consented_at),
        Field("created_at", _("起草时间"), row.created_at),
        Field("sent_at", _("发出时间"), row.sent_at),
        Field("status", _("状态"), row.get_status_display()),
        Field("ended_at", _("结束时间"), row.ended_at),
        Field("attachments", _("附件"), files),
        Field("trail", _("经过"), trail),
        *_plan(row),
    ]  # fmt: skip


def _plan(row: Referral) -> Entry:
    plan = getattr(row, "plan", None)
    if plan is None:
        return []
    return [
        Field("summary", _("诊疗经过"), plan.summary),
        Field("plan_medication", _("用药方案"), plan.medication),
        Field("rehabilitation", _("康复与护理"), plan.rehabilitation),
        Field("warning_signs", _("预警情况"), plan.warning_signs),
        Field("discharged_on", _("出院日"), plan.discharged_on),
        Field("follow_up_on", _("复诊日"), plan.follow_up_on),
        Field("follow_up_at", _("复诊机构"), plan.follow_up_at.name),
    ]


def _follow_up(row: FollowUp) -> Entry:
    return [
        Field("due_on", _("应随访日"), row.due_on),
        Field("organization", _("随访机构"), row.organization.name),
        Field("done_at", _("随访时间"), row.done_at),
        Field("way", _("方式"), row.get_way_display()),
        Field("outcome", _("情况"), row.get_outcome_display()),
        Field("text", _("记录"), row.text),
    ]


def _admission(row: AdmissionRequest) -> Entry:
    needs = (f"{each.text}{'' if each.done_at is None else '✓'}" for each in row.needs.all())
    return [
        Field("kind", _("类型"), row.get_kind_display()),
        Field("organization", _("医院"), row.organization.name),
        Field("department", _("收治科室"), row.department.name),
        Field("doctor", _("申请医生"), row.doctor.name if row.doctor else None),
        Field("diagnosis", _("入院诊断"), f"{row.diagnosis_code} {row.diagnosis}".strip()),
        Field("purpose", _("入院目的或拟行手术"), row.purpose),
        Field("wished_from", _("希望从"), row.wished_from),
        Field("wished_to", _("希望到"), row.wished_to),
        Field("needs", _("入院前准备"), _("；").join(needs)),
        Field("status", _("状态"), row.get_status_display()),
        Field("scheduled_on", _("安排日"), row.scheduled_on),
        Field("note", _("说明"), row.note),
        Field("asked_at", _("申请时间"), row.asked_at),
        Field("ended_at", _("结束时间"), row.ended_at),
    ]
