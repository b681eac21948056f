"""住院与日间手术申请 (B23): what may be done with one now, and what is usually wanted before. Pure."""

from datetime import date, timedelta
from enum import StrEnum

from hospital.errors import Refused
from referrals import errors
from referrals.models import OVER, AdmissionNeed, AdmissionRequest, Referral
from referrals.models.admission import ADMISSION_OVER

Status = AdmissionRequest.Status
Kind = AdmissionNeed.Kind

AHEAD = timedelta(days=365)
"""A day further off is a slip of the hand."""

MOST_NEEDS = 30


class Act(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    PREPARE = "prepare"
    SCHEDULE = "schedule"
    PUT_OFF = "put_off"
    ADMIT = "admit"
    CANCEL = "cancel"


_OPEN = frozenset(status for status in Status if status not in ADMISSION_OVER)
MAY: dict[Act, frozenset[str]] = {
    Act.APPROVE: frozenset({Status.ASKED}),
    Act.REFUSE: frozenset({Status.ASKED, Status.PREPARING}),
    Act.PREPARE: _OPEN,
    Act.SCHEDULE: frozenset({Status.READY, Status.SCHEDULED}),
    Act.PUT_OFF: frozenset({Status.SCHEDULED}),
    Act.ADMIT: frozenset({Status.SCHEDULED}),
    Act.CANCEL: _OPEN,
}
DOCTORS = frozenset({Act.PREPARE, Act.CANCEL})
"""What whoever asked may do; the rest is the admission office's and the ward's."""

USUAL: list[tuple[str, str, str]] = [
    ("blood", Kind.EXAM, "血常规、凝血功能、肝肾功能、传染病筛查"),
    ("ecg", Kind.EXAM, "心电图"),
    ("chest", Kind.EXAM, "胸部影像"),
    ("anaesthesia", Kind.ASSESSMENT, "麻醉评估"),
    ("consent", Kind.CONSENT, "手术（治疗）知情同意书"),
    ("papers", Kind.PAPERS, "身份证与医保手续"),
]
"""Ticked in the form, never prescribed: each may be left out, waived or added to."""

TICKED = ("blood", "ecg", "papers")


def refusal(act: Act, *, status: str, office: bool) -> Refused | None:
    """`office`: it is somebody of the admission office or the ward, not the asking doctor."""
    label = Status(status).label
    if status in ADMISSION_OVER:
        return errors.AdmissionOver(status=label)
    if status not in MAY[act] or (not office and act not in DOCTORS):
        return errors.AdmissionNotNow(status=label)
    return None


def allowed(*, status: str, office: bool) -> frozenset[Act]:
    """What the page offers."""
    return frozenset(act for act in Act if refusal(act, status=status, office=office) is None)


def after_preparing(status: str, *, open_needs: int) -> str:
    """What ticking and adding makes of it: a scheduled one that lacks something again is no longer scheduled."""
    if status == Status.ASKED:
        return status
    if open_needs:
        return Status.PREPARING
    return Status.SCHEDULED if status == Status.SCHEDULED else Status.READY


def refusal_of_day(day: date, *, today: date) -> Refused | None:
    last = today + AHEAD
    return None if today <= day <= last else errors.AdmissionDayGone(last=f"{last:%Y-%m-%d}")


def refusal_by_needs(texts: list[str]) -> Refused | None:
    """`texts`: what is still open."""
    return errors.AdmissionMissing(count=len(texts), missing="、".join(texts)) if texts else None


def refusal_of_referral(referral: Referral, *, organization_id: int) -> Refused | None:
    """A request rests on a referral up that this hospital has received and not ended."""
    waiting = referral.sent_at is None or referral.status in OVER
    if waiting or referral.receiver_id != organization_id or referral.direction != Referral.Direction.UP:
        return errors.AdmissionReferralOver(status=referral.get_status_display())
    return None


def late(request: AdmissionRequest, *, today: date) -> bool:
    """Its day went by and nobody came, or the day wished for did without one having been told."""
    if request.status == Status.SCHEDULED:
        return request.scheduled_on < today
    return request.status in _OPEN and request.wished_to is not None and request.wished_to < today
