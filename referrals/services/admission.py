"""住院与日间手术申请 (B23): asked for in the consult room or from a referral, prepared, given a day, admitted.

Beds are the ward system's. Locks: patient, referral, admission request. `now` is aware UTC.
"""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from appointments.models import Encounter
from hospital import audit, clock, outbox, patients
from hospital.models import Department, Patient, Practitioner, User
from referrals import errors
from referrals.models import AdmissionNeed, AdmissionRequest, Referral
from referrals.policies import admission as policy
from referrals.policies.admission import Act

from . import admission_notices as notices
from . import trail

Status = AdmissionRequest.Status


@transaction.atomic
def ask(
    *,
    patient: Patient,
    department: Department,
    doctor: Practitioner | None,
    by: User,
    needs: list[tuple[str, str]],
    encounter: Encounter | None = None,
    referral: Referral | None = None,
    now: datetime,
    **said,
) -> AdmissionRequest:
    """申请, at the hospital of `department`. `needs`: (kind, text); `said`: kind, urgency, diagnosis_code, diagnosis,
    purpose, wished_from, wished_to. Publishes admission.asked.

    Raises AdmissionDepartmentClosed, AdmissionReferralOver, AdmissionAskedAlready.
    """
    if not department.active:
        raise errors.AdmissionDepartmentClosed(department=department.name)
    patients.locked(patient.pk)
    if referral is not None:
        referral = trail.locked(referral.pk)
        if refused := policy.refusal_of_referral(referral, organization_id=department.organization_id):
            raise refused
    row = AdmissionRequest(
        organization_id=department.organization_id, patient=patient, department=department, doctor=doctor, by=by,
        encounter=encounter, referral=referral, asked_at=now, **said,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "admission_one_open" not in str(error):
            raise
        raise _asked_already(row) from None
    _write_needs(row, needs)
    _leave_a_trace(row, "asked", before="", by=by, now=now)
    return row


def _write_needs(row: AdmissionRequest, needs: list[tuple[str, str]]) -> None:
    """Each text once, with the kind that it was first said with."""
    wanted = dict.fromkeys((kind, text.strip()[:100]) for kind, text in needs if text.strip())
    texts = {text: kind for kind, text in reversed(wanted)}
    AdmissionNeed.objects.bulk_create(
        AdmissionNeed(request=row, kind=texts[text], text=text) for text in list(reversed(texts))[: policy.MOST_NEEDS]
    )


@transaction.atomic
def approve(*, request: AdmissionRequest, by: User, now: datetime) -> AdmissionRequest:
    """审核通过: what is missing is prepared; nothing missing, a day is looked for. Twice is once."""
    row = _locked(request)
    if row.status in (Status.PREPARING, Status.READY):
        return row
    _may(row, Act.APPROVE)
    _move(row, Status.PREPARING if _missing(row) else Status.READY, "approved", by=by, now=now)
    return row


@transaction.atomic
def refuse(*, request: AdmissionRequest, reason: str, by: User, now: datetime) -> AdmissionRequest:
    """未通过, with a reason that patient and doctor read."""
    row = _locked(request)
    if row.status == Status.REFUSED:
        return row
    _may(row, Act.REFUSE)
    _move(row, Status.REFUSED, "refused", by=by, now=now, note=_reason(reason), ended_at=now)
    return row


@transaction.atomic
def cancel(*, request: AdmissionRequest, reason: str, by: User, office: bool = True, now: datetime) -> AdmissionRequest:
    """取消: by the office, the ward, or whoever asked (`office` False)."""
    row = _locked(request)
    if row.status == Status.CANCELLED:
        return row
    _may(row, Act.CANCEL, office=office)
    _move(row, Status.CANCELLED, "cancelled", by=by, now=now, note=_reason(reason), ended_at=now)
    return row


@transaction.atomic
def add_need(
    *, request: AdmissionRequest, kind: str, text: str, by: User, office: bool, now: datetime
) -> AdmissionNeed:
    """One thing more that must be there. A scheduled one loses its day, and the patient is told so.

    Raises NeedThereAlready.
    """
    row = _locked(request)
    _may(row, Act.PREPARE, office=office)
    text = text.strip()[:100]
    if AdmissionNeed.objects.filter(request=row, text=text).exists():
        raise errors.NeedThereAlready(text=text)
    need = AdmissionNeed.objects.create(request=row, kind=kind, text=text)
    _prepared(row, "need_added", by=by, now=now, need=need.pk)
    return need


@transaction.atomic
def tick(
    *, need: AdmissionNeed, done: bool, waived: bool = False, by: User, office: bool, now: datetime
) -> AdmissionNeed:
    """完成, 免做, or open again. The last one makes it ready to be given a day. Twice is once."""
    row = _locked(need.request)
    need = AdmissionNeed.objects.get(pk=need.pk)
    if (need.done_at is not None, need.waived) == (done, done and waived):
        return need
    _may(row, Act.PREPARE, office=office)
    need.done_at, need.done_by, need.waived = (now, by, waived) if done else (None, None, False)
    need.save(update_fields=["done_at", "done_by", "waived"])
    _prepared(row, "need_waived" if waived else "need_done" if done else "need_opened", by=by, now=now, need=need.pk)
    return need


@transaction.atomic
def schedule(*, request: AdmissionRequest, day: date, place: str, by: User, now: datetime) -> AdmissionRequest:
    """安排, or another day: the patient is told when and where. The same again says nothing.

    Raises AdmissionDayGone, AdmissionMissing, AdmissionNotNow.
    """
    row = _locked(request)
    place = place.strip()[:100]
    if row.status == Status.SCHEDULED and (row.scheduled_on, row.place) == (day, place):
        return row
    if row.status == Status.PREPARING and (refused := policy.refusal_by_needs(_missing(row))):
        raise refused
    _may(row, Act.SCHEDULE)
    if refused := policy.refusal_of_day(day, today=clock.today(now)):
        raise refused
    told = {"scheduled_on": day, "place": place, "note": ""}  # why there was no day is over
    _move(row, Status.SCHEDULED, "scheduled", by=by, now=now, day=day.isoformat(), **told)
    return row


@transaction.atomic
def put_off(*, request: AdmissionRequest, reason: str, by: User, now: datetime) -> AdmissionRequest:
    """暂缓: the day is taken back, another will be told."""
    row = _locked(request)
    if row.status == Status.READY:
        return row
    _may(row, Act.PUT_OFF)
    _move(row, Status.READY, "put_off", by=by, now=now, scheduled_on=None, place="", note=_reason(reason))
    return row


@transaction.atomic
def admit(*, request: AdmissionRequest, by: User, now: datetime) -> AdmissionRequest:
    """入院, on its day or later. Twice is once. Raises AdmissionTooEarly."""
    row = _locked(request)
    if row.status == Status.ADMITTED:
        return row
    _may(row, Act.ADMIT)
    if row.scheduled_on > clock.today(now):
        raise errors.AdmissionTooEarly(day=f"{row.scheduled_on:%Y-%m-%d}")
    _move(row, Status.ADMITTED, "admitted", by=by, now=now, ended_at=now)
    return row


def _locked(request: AdmissionRequest) -> AdmissionRequest:
    """The row for this transaction, after the referral it rests on, which hears of each step."""
    if request.referral_id:
        trail.locked(request.referral_id)
    rows = AdmissionRequest.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("patient", "department", "organization", "referral").get(pk=request.pk)


def _may(row: AdmissionRequest, act: Act, *, office: bool = True) -> None:
    if refused := policy.refusal(act, status=row.status, office=office):
        raise refused


def _reason(text: str) -> str:
    if not text.strip():
        raise errors.AdmissionNeedsReason()
    return text.strip()[:200]


def _missing(row: AdmissionRequest) -> list[str]:
    return list(row.needs.filter(done_at=None).values_list("text", flat=True))


def _asked_already(row: AdmissionRequest) -> errors.AdmissionAskedAlready:
    open_ = AdmissionRequest.objects.filter(patient=row.patient, department=row.department, kind=row.kind)
    before = open_.exclude(status__in=[Status.ADMITTED, Status.REFUSED, Status.CANCELLED]).get()
    return errors.AdmissionAskedAlready(
        department=row.department.name, kind=row.get_kind_display(), status=before.get_status_display()
    )


def _prepared(row: AdmissionRequest, what: str, *, by: User, now: datetime, need: int) -> None:
    after = policy.after_preparing(row.status, open_needs=len(_missing(row)))
    changes = {"scheduled_on": None, "place": ""} if row.status == Status.SCHEDULED != after else {}
    _move(row, after, what, by=by, now=now, need=need, **changes)


def _move(row: AdmissionRequest, status: str, what: str, *, by: User, now: datetime, **changes) -> None:
    """The state after a step, with the columns it changes; what is no column is said in fact and audit."""
    columns = {name for name in changes if name in {"note", "ended_at", "scheduled_on", "place"}}
    before, row.status = row.status, status
    for name in columns:
        setattr(row, name, changes[name])
    row.save(update_fields=["status", *sorted(columns)])
    said = {name: value for name, value in changes.items() if name not in columns}
    _leave_a_trace(row, what, before=before, by=by, now=now, **said)


def _leave_a_trace(row: AdmissionRequest, what: str, *, before: str, by: User, now: datetime, **said) -> None:
    """Audit, fact, the patient's message, and a line on the trail of the referral it rests on."""
    detail = {"before": before, "after": row.status, **said}
    audit.record(
        action=f"admission.{what}", actor=by, patient=row.patient, subject=f"admission:{row.pk}", detail=detail, now=now
    )
    fact = outbox.publish(
        topic=f"admission.{what}", key=f"admission:{row.pk}", actor=by, now=now,
        payload={"admission": row.pk, "status": row.status, "organization": row.organization_id, **said},
    )  # fmt: skip
    lost = before == Status.SCHEDULED and row.status in (Status.PREPARING, Status.READY)
    step, dedupe = "put_off" if lost else what, f"admission:{row.pk}:{fact.pk}"
    notices.tell(row, what=step, dedupe=dedupe, now=now)
    notices.tell_staff(row, what=step, but=by, dedupe=dedupe, now=now)
    if row.referral_id and row.referral.ended_at is None and (text := _on_the_trail(row, what)):
        trail.step(
            row.referral, trail.Kind.NOTED, by=by, organization_id=row.organization_id, now=now, text=text,
            detail={"admission": row.pk},
        )  # fmt: skip


def _on_the_trail(row: AdmissionRequest, what: str) -> str:
    said = {"kind": row.get_kind_display(), "department": row.department.name, "day": row.scheduled_on}
    words = {
        "asked": _("已申请%(kind)s：%(department)s。"),
        "scheduled": _("%(kind)s已安排：%(department)s，%(day)s。"),
        "admitted": _("已入院：%(department)s。"),
        "refused": _("%(kind)s申请未通过：%(department)s。"),
        "cancelled": _("%(kind)s申请已取消：%(department)s。"),
        "put_off": _("%(kind)s安排已暂缓：%(department)s。"),
    }
    return words[what] % said if what in words else ""
