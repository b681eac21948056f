"""我的检查: what an account sees of its people's exams: what is to be booked, what is booked by trip, what is over."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from exams.models import Device, DiagnosticReport, DowntimeCase, ExamBooking, ExamRequest, ExamRule, Preparation
from exams.policies import preparing, visit
from exams.policies import self_service as policy
from exams.policies.booking import in_one_plan
from exams.selectors import rules
from hospital import clock, family, masking
from hospital.errors import Refused
from hospital.models import Patient, User

RELATED = (
    "request__organization",
    "patient",
    "variant__item",
    "variant__preparation",
    "device__room",
    "device__zone__campus",
)
State = ExamBooking.Status
OFFERED = Exists(DowntimeCase.objects.filter(offer=OuterRef("pk")))
AHEAD = (State.PENDING, State.BOOKED, State.ARRIVED, State.CALLED, State.RUNNING)
COMING = (State.BOOKED, State.ARRIVED, State.CALLED, State.RUNNING)


def bookings_of(account: User) -> QuerySet[ExamBooking]:
    """Of the people whom the account looks after now (of the unproved, its own doing); nobody else's, ever. A time that
    the house keeps to offer it is no booking: it is answered where the question about the old one stands."""
    rows = ExamBooking.objects.filter(family.seen(account, own=Q(by=account)), ~OFFERED)
    return rows.select_related(*RELATED)


def requests_of(account: User) -> QuerySet[ExamRequest]:
    related = ("organization", "patient", "variant__item", "variant__preparation", "requester")
    return ExamRequest.objects.filter(family.seen(account, own=Q(by=account))).select_related(*related)


def to_book(account: User, *, person: int | None = None, now: datetime) -> list[ExamRequest]:
    """Open, or held until a moment that has passed; the longest waiting first. One query."""
    of_it = ExamBooking.objects.filter(request=OuterRef("pk"), status__in=AHEAD)
    still = Q(status=ExamRequest.Status.OPEN) | Q(Exists(of_it.filter(_lapsed(now))), status=ExamRequest.Status.BOOKED)
    rows = requests_of(account).filter(still, ~Exists(of_it.exclude(_lapsed(now))))
    rows = rows.filter(patient=person) if person else rows
    return list(rows.order_by("asked_at", "pk"))


def to_plan(account: User, *, person: int, now: datetime) -> list[ExamRequest]:
    """As to_book, and what the account holds without having confirmed: another plan may be chosen instead."""
    held = ExamBooking.objects.filter(request=OuterRef("pk"), status=State.PENDING, by=account)
    rows = requests_of(account).filter(Exists(held), patient=person, status=ExamRequest.Status.BOOKED)
    found = {row.pk: row for row in [*to_book(account, person=person, now=now), *rows]}
    return [found[pk] for pk in sorted(found)]


def _lapsed(now: datetime) -> Q:
    return Q(status=State.PENDING, hold_until__lte=now)


def _ahead(now: datetime) -> Q:
    return Q(status__in=AHEAD, day__gte=clock.today(now)) & ~_lapsed(now)


def coming(account: User, *, person: int | None = None, now: datetime) -> list[ExamBooking]:
    """Held, booked or there already, from today on. One query."""
    rows = bookings_of(account).filter(_ahead(now))
    rows = rows.filter(patient=person) if person else rows
    return list(rows.order_by("during", "pk"))


def past(account: User, *, person: int | None = None, now: datetime) -> QuerySet[ExamBooking]:
    """Done, missed, given back, or over; the latest first, each with its report if it has one. A hold that was let go
    before it was confirmed was never an appointment."""
    rows = bookings_of(account).exclude(_ahead(now)).filter(confirmed_at__isnull=False)
    rows = rows.filter(patient=person) if person else rows
    return rows.select_related(*RELATED, "report").order_by("-during", "-pk")


@dataclass(frozen=True)
class Card:
    """One exam as its page and the list show it."""

    row: ExamBooking
    rule: ExamRule
    now: datetime
    case: DowntimeCase | None = None  # the house waits for an answer: the device is down

    @property
    def masked(self) -> str:
        return masking.name(self.row.patient.name)

    @property
    def begins(self) -> datetime:
        return self.row.during.lower

    @property
    def arrive(self) -> datetime:
        return self.row.stay.lower - policy.ARRIVE_EARLY

    @property
    def hurry(self) -> bool:
        """The moment to be at the desk has passed."""
        return self.arrive <= self.now

    @property
    def closed(self) -> bool:
        """Too late to check in, and not marked yet."""
        return self.booked and not self.row.walk_in and visit.closes_at(self.row, self.rule) <= self.now

    @property
    def ahead(self) -> bool:
        """There is something to prepare and to come for."""
        return self.booked and not self.displaced and not self.closed

    @property
    def minutes(self) -> int:
        """On this device."""
        return int((self.row.during.upper - self.row.during.lower).total_seconds() // 60)

    @property
    def released(self) -> bool:
        """There is a report to read. Only of rows that came with their report (past)."""
        report = getattr(self.row, "report", None)
        return report is not None and report.status == DiagnosticReport.Status.RELEASED

    @property
    def place(self) -> str:
        return place_of(self.row.device)

    @property
    def lapsed(self) -> bool:
        return self.row.status == State.PENDING and (self.row.hold_until is None or self.row.hold_until <= self.now)

    @property
    def pending(self) -> bool:
        return self.row.status == State.PENDING and not self.lapsed

    @property
    def displaced(self) -> bool:
        return policy.displaced(self.row)

    @property
    def booked(self) -> bool:
        return self.row.status == State.BOOKED

    @property
    def over(self) -> bool:
        return self.lapsed or self.row.status not in AHEAD

    @property
    def cancel_by(self) -> datetime:
        return policy.cancel_deadline(self.begins, self.rule)

    @property
    def too_late(self) -> Refused | None:
        return policy.too_late(self.row, rule=self.rule, now=self.now)

    @property
    def no_cancel(self) -> Refused | None:
        return policy.refusal_to_cancel(self.row, rule=self.rule, now=self.now)

    @property
    def no_move(self) -> Refused | None:
        return policy.refusal_to_move(self.row, rule=self.rule, now=self.now)

    @property
    def state(self) -> str:
        """In words, never by colour alone."""
        if self.displaced:
            return _("设备停机")
        return _("已过期") if self.lapsed else self.row.get_status_display()

    @property
    def tone(self) -> str:
        if self.displaced or self.row.status == State.NOSHOW:
            return "tag--bad"
        if self.pending or self.row.status == State.NOT_DONE:
            return "tag--warn"
        return "tag--ok" if self.row.status in COMING else ""


@dataclass(frozen=True)
class Trip:
    """What one person does in the house on one day."""

    day: date
    cards: list[Card] = field(default_factory=list)
    beside: tuple[ExamBooking, ...] = ()  # what is booked for that day already: nobody may eat or drink before it

    @property
    def first(self) -> Card:
        return self.cards[0]

    @property
    def standing(self) -> list[Card]:
        return [card for card in self.cards if not card.displaced]

    @property
    def arrive(self) -> datetime | None:
        return min((card.arrive for card in self.standing), default=None)

    @property
    def steps(self) -> list[preparing.Step]:
        rows = [card.row for card in self.standing if not card.closed]
        return preparing.steps_of(as_coming(row) for row in (*rows, *self.beside))

    @property
    def gone(self) -> Card | None:
        """One whose device is down: the patient has to choose."""
        return next((card for card in self.cards if card.displaced), None)

    @property
    def prepared(self) -> bool:
        """There is something to read before at least one of them."""
        return any(card.row.variant.preparation_id for card in self.standing)

    @property
    def leaflets(self) -> list[tuple[Preparation, list[str]]]:
        """Each once, with the exams that it is for."""
        found: dict[int, tuple[Preparation, list[str]]] = {}
        for card in self.standing:
            if preparation := card.row.variant.preparation:
                found.setdefault(preparation.pk, (preparation, []))[1].append(card.row.variant.name)
        return list(found.values())

    @property
    def held(self) -> Card | None:
        """Held and not confirmed: its page confirms all of its basket."""
        return next((card for card in self.cards if card.pending), None)


def as_coming(row: ExamBooking) -> preparing.Coming:
    return preparing.Coming(row.variant.name, row.during.lower, row.variant.preparation)


def cards_of(rows: Iterable[ExamBooking], *, now: datetime) -> list[Card]:
    """A rule for each house, and the open questions about devices that are down: two queries for one house."""
    rows = list(rows)
    asked = _questions(rows)
    house: dict[int, ExamRule] = {}
    for row in rows:
        key = row.request.organization_id
        if key not in house:
            house[key] = rules.exam_rule(key, day=clock.today(now))
    return [Card(row, house[row.request.organization_id], now, asked.get(row.pk)) for row in rows]


def _questions(rows: list[ExamBooking]) -> dict[int, DowntimeCase]:
    gone = [row.pk for row in rows if policy.displaced(row)]
    if not gone:
        return {}
    cases = DowntimeCase.objects.filter(booking__in=gone, answer=DowntimeCase.Answer.NONE)
    return {
        case.booking_id: case for case in cases.select_related("offer__device__room", "offer__device__zone__campus")
    }


def trips_of(cards: Iterable[Card], *, beside: Iterable[ExamBooking] = ()) -> list[Trip]:
    """By day and person, the nearest first; with what else of `beside` is that person's that day."""
    ordered = sorted(cards, key=lambda card: (card.row.day, card.row.patient_id, card.begins))
    known = {card.row.pk for card in ordered}
    others = [row for row in beside if row.pk not in known]
    return [
        Trip(day, list(found), tuple(row for row in others if (row.day, row.patient_id) == (day, patient)))
        for (day, patient), found in groupby(ordered, lambda card: (card.row.day, card.row.patient_id))
    ]


def beside(account: User | None, *, person: int, days: Iterable[date]) -> list[ExamBooking]:
    """What is booked for this person on these days, in the order of time: all of a day is prepared for as one. Without
    an account the booking centre asks. One query."""
    seen = bookings_of(account) if account else ExamBooking.objects.select_related(*RELATED)
    rows = seen.filter(patient=person, day__in=set(days), status=State.BOOKED, holds=True)
    return list(rows.order_by("during", "pk"))


@dataclass(frozen=True)
class ToBook:
    """One person's open requests. They are planned together where all are simple (E2)."""

    patient: Patient
    requests: list[ExamRequest]

    @property
    def masked(self) -> str:
        return masking.name(self.patient.name)

    @property
    def several(self) -> bool:
        return len(self.requests) > 1

    @property
    def together(self) -> bool:
        houses = {each.organization_id for each in self.requests}
        few = len(in_one_plan(self.requests)) == len(self.requests)
        return self.several and few and len(houses) == 1 and all(each.variant.item.simple for each in self.requests)

    @property
    def with_the_house(self) -> bool:
        """Where to go is said."""
        return any(not each.variant.item.simple for each in self.requests)

    @property
    def phone(self) -> str:
        return self.requests[0].organization.phone


def by_person(requests: Iterable[ExamRequest]) -> list[ToBook]:
    found: dict[int, ToBook] = {}
    for each in requests:
        found.setdefault(each.patient_id, ToBook(each.patient, [])).requests.append(each)
    return list(found.values())


def place_of(device: Device) -> str:
    """本部院区 门诊楼 2层 3检查室: the zone's own place and the room, a floor that both name said once."""
    zone, room = device.zone, device.room
    way = zone.location or zone.name
    told = room.floor and "".join(room.floor.split()) in "".join(way.split())
    return " ".join(filter(None, [zone.campus.name, way, "" if told else room.floor, room.name]))
