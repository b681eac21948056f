"""我的转诊: what an account sees of its people's referrals. What is written between doctors stays between them."""

from dataclasses import dataclass

from django.db.models import QuerySet

from appointments.models import Appointment
from hospital import family, masking
from hospital.models import Campus, User
from referrals.models import CarePlan, FollowUp, Referral
from referrals.policies.plain_words import Said, said_of

from .down import GONE

RELATED = (
    "patient", "origin", "receiver", "department", "role__practitioner", "team", "answers_to",
    "appointment__slot", "appointment__schedule__campus", "appointment__schedule__room",
    "appointment__schedule__department", "appointment__schedule__role__practitioner", "appointment__schedule__team",
)  # fmt: skip
LIVE = (Appointment.Status.BOOKED, Appointment.Status.ARRIVED)


def referrals_of(account: User) -> QuerySet[Referral]:
    """Of the account's people whose binding was proved: a referral says what somebody is ill with. Drafts are nobody's
    yet."""
    rows = Referral.objects.filter(family.theirs(account, proved=True), sent_at__isnull=False)
    return rows.select_related(*RELATED)


@dataclass(frozen=True)
class Card:
    row: Referral
    masked: str
    said: Said
    over: bool
    plan: CarePlan | None = None
    follow_up: FollowUp | None = None  # the open one
    campus: int | None = None  # where to look for a number of the next visit that has none

    @property
    def number(self) -> Appointment | None:
        """The booked number that the referral, or its plan, stands for now."""
        number = self.plan.appointment if self.plan else self.row.appointment
        return number if number and number.status in LIVE else None

    @property
    def number_lost(self) -> bool:
        """The next visit's was cancelled or missed."""
        number = self.plan.appointment if self.plan else None
        return number is not None and number.status in GONE


def cards_of(rows: list[Referral]) -> list[Card]:
    """Three queries more."""
    ids = [row.pk for row in rows if row.direction == Referral.Direction.DOWN]
    related = ("follow_up_at", *(f"appointment__{name}" for name in ("slot", "schedule__campus", "schedule__room")))
    more = ("schedule__department", "schedule__role__practitioner", "schedule__team")
    plans = CarePlan.objects.filter(referral__in=ids).select_related(*related, *(f"appointment__{n}" for n in more))
    by_referral = {plan.referral_id: plan for plan in plans}
    open_ones = FollowUp.objects.filter(referral__in=ids, done_at=None).select_related("organization")
    follow_ups = {row.referral_id: row for row in open_ones}
    houses = {plan.follow_up_at_id for plan in plans}
    doors = Campus.objects.filter(organization__in=houses, active=True).order_by("organization", "-pk")
    campuses = dict(doors.values_list("organization", "pk")) if houses else {}  # a house's first
    return [
        Card(
            row=row, masked=masking.name(row.patient.name), said=said_of(row), over=row.ended_at is not None,
            plan=by_referral.get(row.pk), follow_up=follow_ups.get(row.pk),
            campus=campuses.get(by_referral[row.pk].follow_up_at_id) if row.pk in by_referral else None,
        )
        for row in rows
    ]  # fmt: skip
