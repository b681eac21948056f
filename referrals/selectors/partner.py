"""What the lower institution's desk has before it: what waits for it, its letters, its signed residents."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from hospital.models import Organization, Patient, SignedResident
from referrals.models import FollowUp, Referral, ReferralEvent

Status = Referral.Status
RELATED = ("patient", "receiver", "origin", "department", "role__practitioner", "team", "appointment", "doctor")

NEWS = timedelta(days=7)
"""So long an answer that needs nothing more stays on the first page."""

SOON = timedelta(days=3)
"""Follow-ups of the next days stand there too."""

MOST = 50


@dataclass(frozen=True)
class Desk:
    """`asked`: to be answered; `received`: sent down to us, not yet taken on; `lost`: their number went; `rejected` in
    the last days, and nobody has written again; `drafts`; `under_way`: with the hospital; `due`: follow-ups."""

    asked: list[Referral]
    received: list[Referral]
    lost: list[Referral]
    rejected: list[Referral]
    drafts: list[Referral]
    under_way: list[Referral]
    due: list[FollowUp]

    @property
    def waiting(self) -> int:
        return len(self.asked) + len(self.received) + len(self.lost) + len(self.rejected) + len(self.due)


def desk_of(institution: Organization, rows: QuerySet[Referral], *, today: date, now: datetime) -> Desk:
    """`rows`: what the account may see (scope.referrals_of). Two queries, the due ones with a third."""
    gone = ReferralEvent.objects.filter(referral=OuterRef("pk"), kind=ReferralEvent.Kind.LOST)
    rows = rows.select_related(*RELATED).annotate(number_lost=Exists(gone))
    open_rows = rows.filter(ended_at=None).filter(Q(origin=institution) | Q(receiver=institution, status=Status.SENT))
    ours_first = Case(When(waits_for_us(institution), then=0), default=1)
    found = list(open_rows.order_by(ours_first, F("due_at").asc(nulls_last=True), "-pk")[: 4 * MOST])
    again = Referral.objects.filter(origin=institution, patient=OuterRef("patient"), pk__gt=OuterRef("pk"))
    ended = rows.filter(~Exists(again), origin=institution, status=Status.REJECTED, ended_at__gte=now - NEWS)
    mine = [row for row in found if row.origin_id == institution.pk]
    sent = [row for row in mine if row.status not in (Status.DRAFT, Status.ASKED)]
    lost = [row for row in sent if row.number_lost and row.status == Status.ACCEPTED and not row.appointment_id]
    return Desk(
        asked=[row for row in mine if row.status == Status.ASKED],
        received=[row for row in found if row.receiver_id == institution.pk and row.direction == "down"],
        lost=lost,
        rejected=list(ended.order_by("-ended_at")[:MOST]),
        drafts=[row for row in mine if row.status == Status.DRAFT],
        under_way=[row for row in sent if row not in lost],
        due=follow_ups_due(institution, today=today),
    )


def waits_for_us(institution: Organization) -> Q:
    """What is never cut off by a long list of what the hospital has in hand."""
    mine = Q(origin=institution, status__in=[Status.ASKED, Status.DRAFT])
    lost = Q(origin=institution, status=Status.ACCEPTED, appointment=None, number_lost=True)
    return mine | lost | Q(receiver=institution, status=Status.SENT)


def follow_ups_due(institution: Organization, *, today: date) -> list[FollowUp]:
    """Overdue ones first."""
    rows = FollowUp.objects.filter(organization=institution, done_at=None, due_on__lte=today + SOON)
    return list(rows.select_related("patient", "referral").order_by("due_on", "pk")[:MOST])


def of_patient(rows: QuerySet[Referral], patient: Patient) -> list[Referral]:
    """The institution's referrals of one person, the latest first."""
    return list(rows.filter(patient=patient).select_related(*RELATED).order_by("-pk")[:MOST])


def allergies_of(rows: QuerySet[Referral], patient: Patient) -> str:
    """As the institution wrote them last; what a patient takes is asked anew each time."""
    known = rows.filter(patient=patient, direction="up").exclude(allergies="")
    return known.order_by("-pk").values_list("allergies", flat=True).first() or ""


def draft_of(rows: QuerySet[Referral], patient: Patient, *, origin: Organization, receiver: Organization) -> Referral:
    """One that was begun and not sent: it is gone on with, not begun again."""
    rows = rows.filter(patient=patient, origin=origin, receiver=receiver, status=Status.DRAFT, direction="up")
    return rows.order_by("-pk").first()


# ---- signed residents ----


def residents_of(institution: Organization, *, today: date, which: str, text: str) -> QuerySet[SignedResident]:
    """`which`: now, soon (ends within 30 days), over. `text`: name, pinyin or initials of their own residents."""
    rows = SignedResident.objects.filter(organization=institution).select_related("patient", "doctor")
    if which == "over":
        rows = rows.filter(effective_to__lt=today).order_by("-effective_to", "pk")
    else:
        rows = rows.filter(effective_to__gte=today).order_by("effective_to", "pk")
    if which == "soon":
        rows = rows.filter(effective_to__lte=today + timedelta(days=30))
    if text:
        low = text.lower().replace(" ", "")
        named = Q(patient__name__startswith=text) | Q(patient__pinyin__startswith=low)
        rows = rows.filter(named | Q(patient__initials__startswith=low))
    return rows


def signings_of(patient: Patient) -> list[SignedResident]:
    """With whomever, the latest first: one at a time, so that whoever wants to sign must know of another."""
    rows = SignedResident.objects.filter(patient=patient).select_related("organization", "doctor")
    return list(rows.order_by("-effective_from")[:10])
