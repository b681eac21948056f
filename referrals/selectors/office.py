"""The referral office's worklist (R4): what reached the house, overdue first, as the office narrows it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from hospital.models import Department, Organization
from referrals.models import OVER, WAITS_FOR_RECEIVER, Referral, ReferralEvent

Status = Referral.Status

OURS, THEIRS, COMING, HERE, OVER_TAB = "ours", "theirs", "coming", "here", "over"
TURNS: dict[str, tuple[str, ...]] = {
    OURS: (*WAITS_FOR_RECEIVER, Status.ACCEPTED),
    THEIRS: (Status.ASKED,),
    COMING: (Status.BOOKED,),
    HERE: (Status.ARRIVED, Status.SEEN),
    OVER_TAB: OVER,
}
"""Whose turn it is: ours to decide or to book; the sender's to answer; nobody's before the visit; ours to finish."""

LATELY = timedelta(days=30)
"""Of what is over: the last month, unless a number or a name is looked for."""


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; empty: everything."""

    turn: str = OURS
    urgency: str = ""
    direction: str = ""
    late: bool = False
    origin: int | None = None
    department: int | None = None
    status: str = ""
    text: str = ""


def received(organizations: Collection[int]) -> QuerySet[Referral]:
    """What was sent to these houses. `organizations`: where the user has the office (scope)."""
    return Referral.objects.filter(receiver__in=organizations, sent_at__isnull=False)


def still_open(rows: QuerySet[Referral]) -> QuerySet[Referral]:
    """In the words of the partial index referral_work: among 100,000 the few that wait are found through it."""
    return rows.exclude(status__in=[Status.DRAFT, *OVER])


def listed(organizations: Collection[int], wanted: Wanted, *, now: datetime) -> QuerySet[Referral]:
    """The green channel, then by deadline, the overdue first; what has none by the day it was sent; of what is over the
    latest first."""
    rows = received(organizations)
    if wanted.text:
        return _found(rows, wanted.text).order_by("-sent_at", "-pk")
    rows = rows.filter(status__in=[wanted.status] if wanted.status else TURNS[wanted.turn])
    rows = rows.filter(ended_at__gt=now - LATELY) if wanted.turn == OVER_TAB else still_open(rows)
    if wanted.late:
        rows = rows.filter(due_at__lte=now)
    for name in ("urgency", "direction", "origin", "department"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.turn == OVER_TAB:
        return rows.order_by("-sent_at", "-pk")
    green = Case(When(urgency=Referral.Urgency.GREEN, then=0), default=1)
    return rows.order_by(green, F("due_at").asc(nulls_last=True), "sent_at", "pk")


def place_is_closed(row: Referral) -> bool:
    """Before the visit: the wished department, doctor or team takes nobody any more. `row` has them."""
    if row.status not in (*TURNS[OURS], *TURNS[THEIRS], *TURNS[COMING]):
        return False
    places = [row.department, row.role, row.role and row.role.practitioner, row.team]
    return any(place is not None and not place.active for place in places)


def _found(rows: QuerySet[Referral], text: str) -> QuerySet[Referral]:
    """By the referral's number, or the patient's name or initials."""
    plain = text.strip().lower()
    digits = plain.lstrip("ud")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return rows.filter(pk=int(digits))
    return rows.filter(
        Q(patient__name=text.strip()) | Q(patient__initials=plain) | Q(patient__pinyin=plain.replace(" ", ""))
    )


def in_full(page) -> list[Referral]:
    """The rows of one page with what a line says of them. Two queries."""
    said = ReferralEvent.objects.exclude(kind=ReferralEvent.Kind.SENT)  # who consented is not for a list
    last = said.filter(referral=OuterRef("pk")).exclude(text="").order_by("-pk")
    lost = ReferralEvent.objects.filter(referral=OuterRef("pk"), kind=ReferralEvent.Kind.LOST).order_by("-pk")
    rows = Referral.objects.filter(pk__in=list(page)).select_related(
        "patient", "origin", "receiver", "department", "role__practitioner", "team", "appointment__schedule", "green"
    )
    rows = rows.annotate(said=Subquery(last.values("text")[:1]), lost=Subquery(lost.values("detail__why")[:1]))
    by_id = {row.pk: row for row in rows}
    return [by_id[pk] for pk in page if pk in by_id]


@dataclass(frozen=True)
class Counts:
    turns: dict[str, int]
    late: int


def counts(organizations: Collection[int], *, now: datetime) -> Counts:
    """Of what is open, by whose turn it is. One query over the open ones."""
    rows = still_open(received(organizations))
    late = Count("pk", filter=Q(due_at__lte=now))
    found = list(rows.order_by().values_list("status").annotate(many=Count("pk"), late=late))
    number = {status: many for status, many, _late in found}
    turns = {
        turn: sum(number.get(status, 0) for status in states) for turn, states in TURNS.items() if turn != OVER_TAB
    }
    ours = TURNS[OURS]
    return Counts(turns=turns, late=sum(late for status, _many, late in found if status in ours))


def senders(organizations: Collection[int]) -> QuerySet[Organization]:
    """Lower institutions and hospitals that ever sent something here."""
    sent = received(organizations).filter(origin=OuterRef("pk"))
    return Organization.objects.filter(Exists(sent)).order_by("code")


def departments(organizations: Collection[int]) -> QuerySet[Department]:
    return Department.objects.filter(organization__in=organizations).order_by("order", "code")
