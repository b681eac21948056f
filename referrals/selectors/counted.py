"""The referrals behind a figure of referrals.stats: the same days, the same meaning, row by row."""

from datetime import date

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment
from appointments.policies.rules import OF_PARTNERS
from referrals.models import Referral, ReferralEvent
from referrals.policies.days import moments

Kind, Status = ReferralEvent.Kind, Referral.Status
RELATED = ("patient", "origin", "receiver", "department", "role__practitioner", "team", "doctor", "by")

WORDS = {
    "sent": _("发出"),
    "unanswered": _("未答复"),
    "escalated": _("逾期催办过"),
    "rejected": _("退回"),
    "redirected": _("改派"),
    "withdrawn": _("撤回"),
    "completed": _("已完成或转回"),
    "numbered": _("约到号"),
    "own": _("约到下级机构号池的号"),
}
"""What can be opened, by its name in stats.Way."""


def rows(*, organization: int, first: date, last: date, direction: str, what: str = "sent") -> QuerySet[Referral]:
    """Of a house, one direction and some days, the latest first."""
    start, end = moments(first, last)
    house = "receiver" if direction == Referral.Direction.UP else "origin"
    found = Referral.objects.filter(
        **{house: organization}, direction=direction, sent_at__gte=start, sent_at__lt=end
    ).select_related(*RELATED)  # fmt: skip
    found = found.filter(status=Status.WITHDRAWN) if what == "withdrawn" else found.exclude(status=Status.WITHDRAWN)
    return _narrowed(found, what).order_by("-sent_at", "-pk")


def _narrowed(found: QuerySet[Referral], what: str) -> QuerySet[Referral]:
    if what == "unanswered":
        return found.filter(answered_at=None, status__in=[Status.SENT, Status.REDIRECTED])
    if what in (Kind.ESCALATED, Kind.REDIRECTED):
        return found.filter(Exists(ReferralEvent.objects.filter(referral=OuterRef("pk"), kind=what)))
    if what == "rejected":
        return found.filter(status=Status.REJECTED)
    if what == "completed":
        return found.filter(status__in=[Status.COMPLETED, Status.RETURNED])
    if what in ("numbered", "own"):
        numbered = found.annotate(last_number=_last_number()).filter(last_number__isnull=False)
        kinds = Q(slot__pool__kind__in=OF_PARTNERS) if what == "own" else Q()
        return numbered.filter(Exists(Appointment.objects.filter(kinds, pk=OuterRef("last_number"))))
    return found


def _last_number() -> Subquery:
    """The number that it got last, whatever became of it."""
    booked = ReferralEvent.objects.filter(referral=OuterRef("pk"), kind=Kind.BOOKED).order_by("-pk")
    number = Cast(KeyTextTransform("appointment", "detail"), BigIntegerField())
    return Subquery(booked.annotate(number=number).values("number")[:1])


def reasons_of(found: list[Referral]) -> dict[int, str]:
    """Referral → why it was sent back. One query."""
    events = ReferralEvent.objects.filter(referral__in=found, kind=Kind.REJECTED).order_by("pk")
    return dict(events.values_list("referral", "text"))
