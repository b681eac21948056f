"""What the consult-room page shows, put together once per request and drawn as a whole or in fragments."""

import hashlib
from datetime import date, datetime
from functools import cached_property
from uuid import uuid4

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from appointments import stats
from appointments.errors import UnconfirmedLines
from appointments.forms.consult import INTERVALS, KINDS, WishForm
from appointments.models import Encounter
from appointments.selectors import consult, rules
from hospital import clock, masking
from hospital.errors import Refused
from hospital.models import Patient, Practitioner

from . import consult_neighbours
from .consult_cart import Cart
from .consult_options import Option, milliseconds, opened_at
from .consult_places import Places


class Page(Cart, Places):
    """All of the consult room for one request. Each part is asked for once, when it is first drawn."""

    def __init__(self, request: HttpRequest, *, doctor: Practitioner, address, now: datetime):
        self.request = request
        self.doctor = doctor
        self.now = now
        self.today: date = clock.today(now)
        self.neighbours = consult_neighbours.joined()
        self.form = WishForm(address, more_kinds=[(one.kind, one.label) for one in self.neighbours])
        self.refusal: Refused | None = None
        self.refusals: list[Refused] = []  # besides it, of several things done with one key
        self.notice = self.notice_next = ""
        self.focus = "time"
        self.dropped: dict | None = None
        self.request_key = str(uuid4())
        self.confirm_key = str(uuid4())
        self.hold_minutes = rules.organization_booking_rule(doctor.organization_id, day=self.today).consult_hold_minutes

    # ---- who ----

    @cached_property
    def room(self) -> consult.Room:
        """With what other apps know of whoever waits, said beside the names (`marks`)."""
        room = consult.room_of(doctor=self.doctor, now=self.now)
        visits = {visit.pk: visit for visit in (*room.queue.in_rooms, *room.queue.called, *room.queue.waiting)}
        if room.current:
            visits.setdefault(room.current.appointment_id, room.current.appointment)
        for visit in visits.values():
            visit.marks = []
        for one in self.neighbours if visits else ():
            found = one.marks(visits.values(), organization_id=self.doctor.organization_id)
            for pk, mark in found.items():
                visits[pk].marks.append(mark)
        self._marked = visits
        return room

    @property
    def current(self) -> Encounter | None:
        return self.room.current

    @property
    def patient(self) -> Patient | None:
        return self.current.patient if self.current else None

    @property
    def current_marks(self) -> list[consult_neighbours.Mark]:
        return self._marked[self.current.appointment_id].marks if self.current else []

    @property
    def patient_marks(self) -> list[tuple[consult_neighbours.Mark, str]]:
        """Beside the patient in the room, each with the address of its kind."""
        nothing = {"department": None, "level": None, "role": None, "team": None}
        return [(mark, self.href(kind=mark.kind, **nothing)) for mark in self.current_marks]

    @property
    def told_allergies(self) -> list[str]:
        """What other apps were told, beside what is noted here."""
        return [mark.allergies for mark in self.current_marks if mark.allergies]

    @cached_property
    def facts(self) -> consult.PatientFacts:
        return consult.patient_facts(patient=self.patient, organization_id=self.doctor.organization_id, now=self.now)

    @property
    def phone(self) -> str:
        return masking.phone(self.patient.phone)

    @cached_property
    def rate(self) -> stats.Rate:
        return stats.in_visit_rate(practitioner=self.doctor, now=self.now)

    @cached_property
    def seats(self) -> list:
        """Rooms of plain clinics to sit down in, when the rota has no half-day of the doctor's own left today."""
        sitting = self.room.sitting
        if sitting and sitting.schedule.ends_at > self.now:
            return []
        return consult.free_seats(doctor=self.doctor, now=self.now)

    @cached_property
    def opened(self) -> datetime | None:
        return opened_at(self.request, self.current, now=self.now) if self.current else None

    @property
    def opened_ms(self) -> int | None:
        return milliseconds(self.opened) if self.opened else None

    @property
    def now_ms(self) -> int:
        return milliseconds(self.now)

    # ---- what is wished, and the addresses that keep it ----

    @cached_property
    def wish(self) -> consult.Wish:
        half = self.current.schedule.half if self.current else ""
        return self.form.wish(today=self.today, half=half)

    @property
    def q(self) -> str:
        return (self.form.said("q") or "").strip()

    def href(self, **changes) -> str:
        """The page's address with some of its fields changed; None takes one away."""
        names = ("kind", "department", "level", "role", "team", "weeks", "day", "move")
        kept = {name: self.form.said(name) for name in names} | changes
        said = {name: value for name, value in kept.items() if value not in (None, "")}
        if isinstance(said.get("day"), date):
            said["day"] = said["day"].isoformat()
        return f"{reverse('appointments:consult')}?{urlencode(said)}" if said else reverse("appointments:consult")

    def place_href(self, **place) -> str:
        """Another place to book, at the same day as now."""
        return self.href(**({"kind": "other", "department": None, "level": None, "role": None, "team": None} | place))

    @property
    def here(self) -> str:
        return self.address.partition("?")[2]

    @property
    def address(self) -> str:
        return self.href(schedule=self.form.said("schedule"))

    @property
    def kept(self) -> list[tuple[str, object]]:
        """Hidden fields of forms that change only the day or the search."""
        names = ("kind", "department", "level", "role", "team", "move")
        return [(name, self.form.said(name)) for name in names if self.form.said(name)]

    def with_address(self, name: str) -> str:
        return f"{reverse(f'appointments:{name}')}?{self.address.partition('?')[2]}"

    @property
    def take_url(self) -> str:
        return self.with_address("consult_move" if self.moving else "consult_lines")

    @property
    def search_url(self) -> str:
        return self.with_address("consult_search")

    @property
    def fresh_url(self) -> str:
        current = self.current.pk if self.current else ""
        return f"{self.with_address('consult_fresh')}&encounter={current}&stamp={self.stamp}"

    @cached_property
    def kinds(self) -> list[Option]:
        names = dict(KINDS) | {one.kind: one.label for one in self.neighbours}
        theirs = [one.kind for one in self.neighbours]
        shown = ["own", "other", "team", *theirs, "booked", *(["leader"] if self.referral_team else [])]
        counts = {"booked": len(self.coming)} | {one.kind: one.count(self) for one in self.neighbours}
        return [
            Option(
                label=str(names[name]),
                name=name,
                key=str(place),
                chosen=self.wish.kind == name,
                count=counts.get(name, 0),
                href=self.href(kind=name, department=None, level=None, role=None, team=None),
            )
            for place, name in enumerate(shown, 1)
        ]

    @property
    def intervals(self) -> list[Option]:
        return [
            Option(str(label), key=key, href=self.href(weeks=weeks, day=None), chosen=self.form.interval == weeks)
            for weeks, label, key in INTERVALS
        ]

    # ---- what other apps put on the page ----

    @cached_property
    def neighbour(self) -> consult_neighbours.Neighbour | None:
        """Whose kind is chosen."""
        return next((one for one in self.neighbours if one.kind == self.wish.kind), None)

    @cached_property
    def _middle(self) -> tuple[str, object]:
        return self.neighbour.middle(self)

    @property
    def work_template(self) -> str:
        return self._middle[0]

    @property
    def work(self):
        return self._middle[1]

    @property
    def known(self) -> list[tuple[str, object]]:
        return [known for one in self.neighbours if (known := one.known(self))]

    @cached_property
    def till(self) -> tuple[str, object] | None:
        """How the basket is paid: a template, and what it shows. None: it is confirmed without paying."""
        there = consult_neighbours.till()
        return there.desk(self) if there and self.patient else None

    @property
    def till_stylesheets(self) -> tuple[str, ...]:
        there = consult_neighbours.till()
        return there.stylesheets if there else ()

    @property
    def refusal_to_leave(self) -> Refused | None:
        """Why this patient's page is not left: what is held, or another app's word."""
        there = consult_neighbours.till()
        if self.unconfirmed and not (there and there.may_leave(self)):
            return UnconfirmedLines(count=self.unconfirmed)
        return next((said for one in self.neighbours if (said := one.refusal_to_leave(self))), None)

    # ---- freshness ----

    @cached_property
    def stamp(self) -> str:
        """Changes when anything that the page shows of queue, numbers or basket has changed."""
        queue = self.room.queue
        seen = [str(self.today), str(self.current and self.current.pk), str(queue.total)]
        seen += [f"{one.pk}" for group in (queue.called, queue.waiting, queue.done) for one in group]
        if self.patient:
            seen += [f"{line.line.pk}{line.state}{line.until_ms}" for line in self.lines]
            seen += [f"{line.pk}{line.state}{line.until_ms}" for line in self.theirs]
            seen += [str(appointment.pk) for appointment in self.coming]
            seen += [self.till[1].stamp] if self.till else []
            if self.can_choose_time and self.wish.kind != "booked":
                seen += [f"{one.schedule.pk}:{one.left}:{one.taken}{one.stopped}" for one in self.strip.sessions]
                seen += [f"{one.number}{one.state}" for one in (self.strip.chosen.numbers if self.strip.chosen else [])]
        return hashlib.blake2s("|".join(seen).encode(), digest_size=8).hexdigest()
