"""Where a family doctor sits: an institution, and the hospital above it whose numbers are on the desk now.

The seat is the booking desk's own (appointments/views/phone/seat.py), kept in the same place of the session: who finds
a patient there and writes a letter here is one desk.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from appointments.models.rules import Channel
from appointments.views.phone.call import Call, open_call, patient_of, read_call
from appointments.views.phone.seat import KEPT, Seat, seats_of
from hospital import clock, permissions
from hospital.models import Organization, Patient, Practitioner, Role
from referrals.models import Referral
from referrals.selectors import scope


@dataclass
class Place:
    """`seats`: the account's at lower institutions; `seat` is None where no hospital works with them."""

    request: HttpRequest
    institution: Organization
    seats: list[Seat]
    seat: Seat | None
    now: datetime

    @property
    def today(self):
        return clock.today(self.now)

    @property
    def now_ms(self) -> int:
        return round(self.now.timestamp() * 1000)

    @cached_property
    def houses(self) -> list[Organization]:
        """Hospitals that this institution refers and books at."""
        return [seat.house for seat in self.seats if seat.partner.pk == self.institution.pk]

    @property
    def doctor(self) -> Practitioner | None:
        person = getattr(self.request.user, "practitioner", None)
        return person if person and person.organization_id == self.institution.pk else None

    @property
    def referrals(self) -> QuerySet[Referral]:
        """The institution's own and those sent to it (P10)."""
        rows = scope.referrals_of(self.request.user, Role.PARTNER)
        return rows & scope.referrals_at(frozenset({self.institution.pk}))

    def sit_at(self, institution: Organization, house: Organization) -> None:
        """The account has more than one institution, or this one more than one hospital: the desk follows what was
        opened."""
        self.institution = institution
        self.__dict__.pop("houses", None)
        mine = [seat for seat in self.seats if seat.partner.pk == institution.pk]
        self.seat = self.seat_at(house) or next(iter(mine), None)

    def seat_at(self, house: Organization) -> Seat | None:
        mine = (seat for seat in self.seats if seat.partner.pk == self.institution.pk)
        return next((seat for seat in mine if seat.house.pk == house.pk), None)

    def call_to(self, patient_id: int, *, identified: bool = False) -> str:
        """An address's worth of this patient, for somebody of whom this desk knows already."""
        return open_call(self.request, self.seat, patient_id, now=self.now, identified=identified)

    def call(self, text: str) -> tuple[Call, Patient]:
        """Raises Http404."""
        if self.seat is None:
            raise Http404
        call = read_call(self.request, self.seat, text)
        return call, patient_of(call)


def partner_required(view):
    """For the family doctor's role. The seat that was chosen holds; else the first, which is then the chosen one."""

    @permissions.role_required(Role.PARTNER)
    @wraps(view)
    def seated(request: HttpRequest, *args, **kwargs):
        return view(request, place_of(request), *args, **kwargs)

    return seated


def place_of(request: HttpRequest) -> Place:
    every = seats_of(request.user)
    seats = [seat for seat in every if seat.channel == Channel.PARTNER]
    kept = request.session.get(KEPT)
    seat = next((each for each in seats if each.key == kept), seats[0] if seats else None)
    if seat and seat.key != kept and len(every) > 1:
        request.session[KEPT] = seat.key
    request.several_seats = len(every) > 1
    held = (row for row in permissions.assignments(request.user) if row.role == Role.PARTNER)
    institution = seat.partner if seat else next(held).organization
    return Place(request, institution, seats, seat, clock.now())
