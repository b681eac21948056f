"""What this app holds of a person, for the copy that people may ask for, and what they still have coming (O4)."""

from datetime import datetime

from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from hospital import family, masking, messages
from hospital.models import Patient, User
from hospital.personal_data import Entry, Field, Section, holds, lies_ahead

from .models import Appointment, NoShow, PatientSuspension, StopCase, WaitlistEntry

ACTOR = ("department", "schedule__room", "schedule__team", "schedule__role__practitioner")
WAITED = ("schedule__department", "schedule__service", "schedule__team", "schedule__role__practitioner")


@holds
def bookings(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = Appointment.objects.filter(patient=patient).select_related("slot", "encounter", *ACTOR)
    rows = rows.filter(by=by) if by else rows
    return Section("bookings", _("预约与就诊"), [_booking(row) for row in rows.order_by("start", "pk")])


@holds
def noshows(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = NoShow.objects.filter(patient=patient).order_by("day", "pk") if by is None else []
    return Section("noshows", _("爽约记录"), [_noshow(row) for row in rows])


@holds
def suspensions(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = PatientSuspension.objects.filter(patient=patient).order_by("starts_at") if by is None else []
    return Section("suspensions", _("暂停自助预约"), [_suspension(row) for row in rows])


@holds
def stop_cases(patient: Patient, whole: bool, by: User | None) -> Section:
    """With what the phone desk wrote down."""
    rows = StopCase.objects.filter(patient=patient).prefetch_related("calls")
    rows = rows.order_by("opened_at", "pk") if by is None else []
    return Section("stop_cases", _("改约单"), [_stop_case(row) for row in rows])


@holds
def waits(patient: Patient, whole: bool, by: User | None) -> Section:
    rows = WaitlistEntry.objects.filter(patient=patient).select_related(*WAITED)
    rows = rows.filter(by=by) if by else rows
    return Section("waits", _("候补"), [_wait(row) for row in rows.order_by("joined_at", "pk")])


@lies_ahead
def to_come(patients: list[int], now: datetime, account: User | None) -> list[str]:
    """周*明 11月25日 星期三 08:30 心血管内科 王医生: every number that is held, booked or waited for."""
    live = Appointment.objects.filter(patient__in=patients, start__gt=now, status__in=["pending", "booked"])
    live = live.filter(family.seen(account, own=Q(by=account))) if account else live
    language = translation.get_language() or ""
    numbers = [
        f"{masking.name(row.patient.name)} {messages.moment(row.start.isoformat(), language)} {_with_whom(row)}"
        for row in live.select_related("patient", *ACTOR).order_by("start", "pk")
    ]
    return numbers + _waited_for(patients, account, language)


def _waited_for(patients: list[int], account: User | None, language: str) -> list[str]:
    """Who was offered a number holds one already."""
    rows = WaitlistEntry.objects.filter(patient__in=patients, status=WaitlistEntry.Status.WAITING)
    rows = rows.filter(family.seen(account, own=Q(by=account))) if account else rows
    return [
        f"{masking.name(row.patient.name)} {messages.moment(row.schedule.starts_at.isoformat(), language)} "
        f"{row.schedule.department} {row.schedule.actor_name} {_('候补')}"
        for row in rows.select_related("patient", *WAITED).order_by("schedule__starts_at", "pk")
    ]


def _with_whom(row: Appointment) -> str:
    schedule = row.schedule
    actor = schedule.team or (schedule.role.practitioner if schedule.role_id else "")
    return f"{row.department} {actor}".strip()


def _booking(row: Appointment) -> Entry:
    visit = getattr(row, "encounter", None)
    return [
        Field("start", _("就诊时间"), row.start),
        Field("with", _("科室与医生"), _with_whom(row)),
        Field("room", _("诊室"), str(row.schedule.room)),
        Field("number", _("号"), row.slot.number),
        Field("status", _("状态"), row.get_status_display()),
        Field("channel", _("渠道"), row.get_channel_display()),
        Field("fee", _("挂号费（元）"), str(row.fee)),
        Field("booked_at", _("预约时间"), row.created_at),
        Field("cancelled_at", _("退号时间"), row.cancelled_at),
        Field("checked_in_at", _("报到时间"), visit.checked_in_at if visit else None),
        Field("started_at", _("就诊开始"), visit.started_at if visit else None),
        Field("finished_at", _("就诊结束"), visit.finished_at if visit else None),
    ]


def _noshow(row: NoShow) -> Entry:
    return [Field("day", _("就诊日"), row.day), Field("excused_at", _("免记时间"), row.excused_at)]


def _suspension(row: PatientSuspension) -> Entry:
    return [
        Field("starts_at", _("开始"), row.starts_at),
        Field("ends_at", _("结束"), row.ends_at),
        Field("reason", _("原因"), row.reason),
        Field("lifted_at", _("解除时间"), row.lifted_at),
    ]


def _stop_case(row: StopCase) -> Entry:
    calls = sorted(row.calls.all(), key=lambda call: call.pk)
    heard = [f"{call.get_outcome_display()} {call.note}".strip() for call in calls]
    return [
        Field("opened_at", _("建单时间"), row.opened_at),
        Field("answer", _("答复"), row.get_answer_display()),
        Field("answered_at", _("答复时间"), row.answered_at),
        Field("calls", _("电话记录"), _("；").join(heard)),
    ]


def _wait(row: WaitlistEntry) -> Entry:
    return [
        Field("day", _("就诊日"), row.schedule.day),
        Field("with", _("科室与医生"), f"{row.schedule.department} {row.schedule.actor_name}"),
        Field("joined_at", _("加入时间"), row.joined_at),
        Field("status", _("状态"), row.get_status_display()),
        Field("ended_at", _("结束时间"), row.ended_at),
    ]
