"""The letter as it lies on the desk: what was typed, what is held, what of the receiver's numbers can be held."""

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest

from appointments.models import Appointment
from appointments.selectors import operator
from appointments.selectors.bookings import slice_of
from appointments.selectors.rules import booking_rule_for
from hospital import clock
from hospital.errors import Refused
from referrals.errors import DraftChanged
from referrals.forms.partner import ActForm, LetterForm, LookForm
from referrals.models import Referral, ReferralRule
from referrals.policies import writing as policy
from referrals.selectors.holding import held_by
from referrals.selectors.rules import referral_rule

from .partner_reach import Place
from .partner_windows import state_of


@dataclass
class Letter:
    """A draft on the desk, and what stands around it."""

    request: HttpRequest
    place: Place
    referral: Referral
    form: LetterForm
    refusal: Refused | None = None
    saved: bool = False

    @cached_property
    def scope(self) -> operator.Scope | None:
        """What of the receiver's numbers this institution may give to the patient; None where it is no host."""
        seat = self.place.seat_at(self.referral.receiver)
        return seat.scope(patient_id=self.referral.patient_id, now=self.place.now) if seat else None

    @property
    def over(self) -> Refused | None:
        return self.scope.over if self.scope else None

    @cached_property
    def rule(self) -> ReferralRule:
        """Until when the receiver answers."""
        return referral_rule(self.referral.receiver_id, day=self.place.today)

    @cached_property
    def held(self) -> Appointment | None:
        return held_by(self.referral, now=self.place.now)

    @property
    def held_slice(self):
        rule = booking_rule_for(self.held.schedule, day=self.place.today)
        return slice_of(self.held, minutes=rule.segment_minutes)

    @property
    def held_until_ms(self) -> int:
        return round(self.held.slot.hold_until.timestamp() * 1000)

    @cached_property
    def chosen(self) -> operator.Place | None:
        """The wish that is ticked."""
        return operator.place_at(self.scope, *self.form.place) if self.scope and self.form.place else None

    @cached_property
    def found(self) -> list[operator.Place]:
        """By what was typed into the box; the ticked one is among them."""
        text = str(self.form["wish_q"].value() or "").strip("/ ")
        rows = operator.places(self.scope, text) if self.scope and text else []
        return rows if self.chosen is None or self.chosen in rows else [self.chosen, *rows]

    @cached_property
    def own(self) -> list[Appointment]:
        """Numbers that this institution booked for the patient there and that no letter holds: one of these may be
        the one."""
        rows = operator.coming(self.scope) if self.scope else []
        taken = set(Referral.objects.filter(appointment__in=rows).values_list("appointment", flat=True))
        return [row for row in rows if row.pk not in taken and row.status == Appointment.Status.BOOKED]

    @cached_property
    def look(self) -> LookForm:
        """The days that the page showed; after a time that was just taken, its day. Of another place: none."""
        if pressed := ActForm(self.request.POST).slice:
            return LookForm({"day": clock.today(pressed.start).isoformat()})
        said = self.request.GET
        here = self.chosen and self.chosen.key
        return LookForm(said if said.get("at", here) == here else {})

    @cached_property
    def strip(self) -> operator.Strip | None:
        if self.chosen is None or self.over:
            return None
        today = self.scope.today
        return operator.strip(
            self.scope, self.chosen, since=self.look.said("since"), day=self.look.said("day"), target=today
        )

    @cached_property
    def sittings(self) -> list[operator.Sitting]:
        if not self.strip or not self.strip.chosen:
            return []
        return operator.sittings(self.scope, self.chosen, day=self.strip.chosen)

    @property
    def seen(self) -> str:
        """Which state of the draft the page has; after an autosave that found another one, still the old."""
        told = isinstance(self.refusal, DraftChanged) and self.request.htmx
        return self.request.POST.get("seen", "")[:16] if told else state_of(self.referral)

    @property
    def missing(self) -> list[str]:
        """What sending would ask for still."""
        return [str(Referral._meta.get_field(name).verbose_name) for name in policy.missing(self.referral)]
