"""The right of the consult-room page: what is held and what is booked for this patient."""

from functools import cached_property
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.models.rules import Channel
from appointments.policies import booking as policy
from appointments.selectors import consult, rules

from .consult_neighbours import NeighboursLine
from .consult_options import Line, basket_of, milliseconds


class Cart:
    """The part of Page that lists what is taken. Uses the page's patient, current, neighbours, today and now."""

    # ---- what is held and what is booked ----

    @property
    def basket(self) -> UUID:
        return basket_of(self.current)

    @cached_property
    def _appointments(self) -> list[Appointment]:
        return consult.appointments_shown(patient=self.patient, basket=self.basket, now=self.now)

    @cached_property
    def lines(self) -> list[Line]:
        rows = [row for row in self._appointments if row.basket == self.basket]
        lines = [line for line in map(self._line, rows) if line]
        taken = {line.line.slot_id for line in lines if line.state != "lapsed"}
        return [line for line in lines if line.state != "lapsed" or line.line.slot_id not in taken]

    def _line(self, appointment: Appointment) -> Line | None:
        until = appointment.slot.hold_until
        pending = appointment.status == Appointment.Status.PENDING
        if pending and until and until > self.now:
            return Line(appointment, "held", _("待确认"), until_ms=milliseconds(until))
        lapsed = appointment.status == Appointment.Status.CANCELLED and appointment.note == "lapsed"
        if pending or lapsed:
            why, then = _("锁号时间已过，号已放回。"), _("按“重新锁号”再试，或换一个时间。")
            url = self.with_address("consult_lines")
            return Line(appointment, "lapsed", _("已过期"), why=why, next=then, take_url=url)
        if appointment.status == Appointment.Status.CANCELLED:
            return None
        return Line(appointment, "confirmed", appointment.get_status_display())

    @property
    def held(self) -> list[Line]:
        return [line for line in self.lines if line.state == "held"]

    @property
    def confirmed(self) -> list[Line]:
        return [line for line in self.lines if line.state == "confirmed"]

    @cached_property
    def theirs(self) -> list[NeighboursLine]:
        """Lines of other apps in this basket."""
        return [line for one in self.neighbours for line in one.lines(self)]

    @property
    def their_held(self) -> list[NeighboursLine]:
        return [line for line in self.theirs if line.state == "held"]

    @property
    def unconfirmed(self) -> int:
        return len(self.held) + len(self.their_held)

    @property
    def anything_confirmed(self) -> bool:
        return bool(self.confirmed) or any(line.state == "confirmed" for line in self.theirs)

    @cached_property
    def undo(self) -> dict | None:
        """撤销上一项: the newest that is held, whoever holds it."""
        mine = [(line.line.created_at, line, self.drop_url, line.line.pk) for line in self.held]
        theirs = [(line.taken_at, line, line.undo_url or line.drop_url, line.pk) for line in self.their_held]
        if not mine and not theirs:
            return None
        _at, newest, url, pk = max([*mine, *theirs], key=lambda held: held[0])
        newest.last = True
        return {"url": url, "drop": pk}

    @property
    def drop_url(self) -> str:
        return reverse("appointments:consult_drop")

    @property
    def first_until_ms(self) -> int | None:
        return min((line.until_ms for line in [*self.held, *self.their_held]), default=None)

    @cached_property
    def coming(self) -> list[Appointment]:
        """Booked and not yet used, in any department and by any channel, the nearest first."""
        booked = [
            row for row in self._appointments if row.status == Appointment.Status.BOOKED and row.day >= self.today
        ]
        return sorted(booked, key=lambda row: row.start)

    @property
    def coming_items(self) -> list[dict]:
        return [self._coming(appointment) for appointment in self.coming]

    def _coming(self, appointment: Appointment) -> dict:
        schedule = appointment.schedule
        rule = rules.booking_rule_for(schedule, day=self.today)
        where = {"kind": "team", "team": schedule.team_id} if schedule.team_id else {"role": schedule.role_id}
        if not schedule.team_id and not schedule.role_id:
            where = {"department": schedule.department_id, "level": schedule.service.level}
        return {
            "appointment": appointment,
            "refusal": policy.refusal_to_cancel(appointment, channel=Channel.CONSULT, rule=rule, now=self.now),
            "move_href": self.place_href(**where, move=appointment.pk, day=schedule.day, weeks=None),
            "request_key": str(uuid4()),
        }

    @cached_property
    def moving(self) -> Appointment | None:
        """The booked appointment that gets another time (改约)."""
        pk = self.form.said("move")
        booked = self.coming if pk and self.patient else []
        return next((appointment for appointment in booked if appointment.pk == pk), None)
