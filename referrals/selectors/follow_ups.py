"""随访名单: whom an institution has to follow up, overdue first, and what was done lately."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from appointments.models import Appointment
from hospital import masking, permissions
from hospital.models import Role, User
from referrals.models import FollowUp, Referral

FOLLOWERS = (Role.PARTNER, Role.DOCTOR, Role.WARD, Role.REFERRAL)
"""Who calls and notes what was said."""

READERS = (*FOLLOWERS, Role.AUDITOR)
WEEK = timedelta(days=7)
SHOWN = ("overdue", "today", "week", "open", "done")
RELATED = ("patient", "organization", "referral__origin", "referral__receiver", "referral__plan__appointment", "by")


def follow_ups_of(user: User, *roles: str) -> QuerySet[FollowUp]:
    """Of the user's own institutions: theirs to do. The hospital that sent the patient down reads it in the referral's
    trail."""
    return FollowUp.objects.filter(organization__in=permissions.organizations_of(user, *(roles or READERS)))


def readable(user: User) -> QuerySet[FollowUp]:
    """To do at, or sent down by, the user's institutions."""
    houses = permissions.organizations_of(user, *READERS)
    return FollowUp.objects.filter(Q(organization__in=houses) | Q(referral__origin__in=houses))


def open_at(organizations: frozenset[int]) -> QuerySet[FollowUp]:
    """The partner's home and the list alike: the longest overdue first."""
    rows = FollowUp.objects.filter(organization__in=organizations, done_at=None)
    return rows.select_related(*RELATED).order_by("due_on", "pk")


def due_at(organizations: frozenset[int], *, day: date) -> QuerySet[FollowUp]:
    """Due on `day` or before it."""
    return open_at(organizations).filter(due_on__lte=day)


def listed(rows: QuerySet[FollowUp], *, shown: str, day: date) -> QuerySet[FollowUp]:
    rows = rows.select_related(*RELATED)
    if shown == "done":
        return rows.filter(done_at__isnull=False).order_by("-done_at", "-pk")
    last = {"overdue": day - timedelta(days=1), "today": day, "week": day + WEEK}.get(shown)
    rows = rows.filter(done_at=None).order_by("due_on", "pk")
    return rows.filter(due_on__lte=last) if last else rows


def counts(rows: QuerySet[FollowUp], *, day: date) -> dict[str, int]:
    """For the tabs: one query over the open ones."""
    days = list(rows.filter(done_at=None).values_list("due_on", flat=True))
    ends = {"overdue": day - timedelta(days=1), "today": day, "week": day + WEEK, "open": date.max}
    return {name: sum(1 for due in days if due <= end) for name, end in ends.items()}


@dataclass(frozen=True)
class Line:
    """One row of the list. `late`: days overdue."""

    row: FollowUp
    masked: str
    phone: str
    late: int

    @property
    def number_lost(self) -> bool:
        """The number of the next visit was cancelled, stopped or missed: whoever calls speaks of a new one."""
        number = self.row.referral.plan.appointment
        return number is not None and number.status in (Appointment.Status.CANCELLED, Appointment.Status.NOSHOW)

    @property
    def untaken(self) -> bool:
        """Sent down, and nobody has acknowledged it yet."""
        return self.row.referral.status in (Referral.Status.SENT, Referral.Status.REDIRECTED, Referral.Status.ANSWERED)


def line_of(row: FollowUp, *, day: date) -> Line:
    late = (day - row.due_on).days if row.done_at is None else 0
    return Line(row, masking.name(row.patient.name), masking.phone(row.patient.phone), max(late, 0))
