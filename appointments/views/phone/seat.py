"""Where an operator sits: the role that was chosen says the channel, the hospital and, for partners, for whom."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps

from django.http import HttpRequest
from django.shortcuts import redirect

from appointments.models.rules import Channel
from appointments.selectors import operator as selectors
from hospital import permissions
from hospital.models import Organization, Role, RoleAssignment
from hospital.permissions import BOOKING_ROLES

KEPT = "booking_seat"
"""In the session: the seat that was chosen, for accounts that have several."""

CHANNELS = {Role.PHONE: Channel.PHONE, Role.WARD: Channel.WARD, Role.PARTNER: Channel.PARTNER}


@dataclass(frozen=True)
class Seat:
    """One role at one hospital. `own`: departments named first; `only`: the one department that a role is bound to."""

    assignment: RoleAssignment = field(repr=False)
    house: Organization

    @property
    def key(self) -> str:
        return f"{self.assignment.pk}-{self.house.pk}"

    @property
    def channel(self) -> str:
        return CHANNELS[self.assignment.role]

    @property
    def partner(self) -> Organization | None:
        return self.assignment.organization if self.channel == Channel.PARTNER else None

    @property
    def only(self) -> int | None:
        return self.assignment.department_id if self.channel == Channel.PHONE else None

    def own(self, user) -> list[int]:
        """A ward doctor's own departments: of the role, else of the doctor."""
        if self.channel != Channel.WARD:
            return []
        bound = self.assignment.department_id
        return [bound] if bound else selectors.departments_of(getattr(user, "practitioner", None), house=self.house)

    def scope(self, *, patient_id: int, now: datetime) -> selectors.Scope:
        """What of the hospital's numbers this seat may give to that patient."""
        return selectors.Scope(
            channel=self.channel,
            house=self.house,
            partner_id=self.partner.pk if self.partner else None,
            patient_id=patient_id,
            department_id=self.only,
            now=now,
        )


def seats_of(user) -> list[Seat]:
    """Every role that books for others, at every hospital that it books at. One query for a partner's hospitals."""
    held = [row for row in permissions.assignments(user) if row.role in BOOKING_ROLES]
    seats = []
    for row in held:
        houses = selectors.hosts_of(row.organization) if row.role == Role.PARTNER else [row.organization]
        seats += [Seat(row, house) for house in houses]
    return seats


def seat_required(view):
    """The view gets the seat: the only one, or the one that was chosen before; else the page to choose comes first."""

    @permissions.role_required(*BOOKING_ROLES)
    @wraps(view)
    def seated(request: HttpRequest, *args, **kwargs):
        seats = seats_of(request.user)
        chosen = request.session.get(KEPT)
        seat = next((each for each in seats if each.key == chosen), seats[0] if len(seats) == 1 else None)
        if seat is None:
            return redirect("appointments:operator_seat")
        request.several_seats = len(seats) > 1
        return view(request, seat, *args, **kwargs)

    return seated
