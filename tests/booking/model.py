"""The inventory in plain Python: what a careful clerk with a pencil would answer. Compared with the database."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from hospital import clock

MINUTE = timedelta(minutes=1)
HOLD = {"web": 15, "consult": 3, "counter": 5}  # minutes
POOLS = {"web": {"public"}, "consult": {"consult", "public"}, "counter": {"counter", "public"}}
REST = timedelta(minutes=90)  # the luck of these tests
EXTRAS = 5


@dataclass
class Number:
    """`until` ends a hold or a rest."""

    start: datetime
    minutes: int
    pool: str
    status: str = "free"
    until: datetime | None = None

    @property
    def end(self) -> datetime:
        return self.start + self.minutes * MINUTE

    def takeable(self, now: datetime) -> bool:
        return self.status == "free" or (self.status in {"held", "resting"} and self.until <= now)

    def put(self, status: str, until: datetime | None = None) -> None:
        self.status, self.until = status, until


@dataclass
class Clinic:
    day: date
    department: int
    starts: datetime
    ends: datetime
    numbers: dict[int, Number]
    opens: dict[str, datetime]
    shared: dict[str, datetime]
    open: bool = True

    def pools(self, channel: str, now: datetime) -> set[str]:
        mine = {pool for pool in POOLS[channel] if pool in self.opens and self.opens[pool] <= now}
        return mine | {pool for pool, since in self.shared.items() if since <= now}


@dataclass
class Visit:
    patient: int
    clinic: int
    number: int
    channel: str  # who is counted for it: self-service is limited
    status: str = "pending"
    extra: bool = False


@dataclass
class Pencil:
    """Answers with a code, or "ok"; a refusal changes nothing but the patient's own expired holds."""

    clinics: dict[int, Clinic]
    visits: dict[int, Visit] = field(default_factory=dict)

    def number_of(self, visit: Visit) -> Number:
        return self.clinics[visit.clinic].numbers[visit.number]

    def live(self, patient: int) -> list[Visit]:
        return [visit for visit in self.visits.values() if visit.patient == patient and visit.status != "cancelled"]

    def expired(self, visit: Visit, now: datetime) -> bool:
        return visit.status == "pending" and self.number_of(visit).until <= now

    def closed(self, clinic: Clinic, channel: str, now: datetime) -> str | None:
        if not clinic.open:
            return "stopped"
        if clinic.ends <= now:
            return "past"
        return None if clinic.pools(channel, now) else "not_open"

    def candidates(self, clinic: Clinic, channel: str, number: int | None, now: datetime) -> dict[int, Number]:
        return {
            n: each
            for n, each in clinic.numbers.items()
            if each.takeable(now) and each.pool in clinic.pools(channel, now) and number in (None, n)
        }

    @staticmethod
    def ahead(numbers: dict[int, Number], channel: str, now: datetime) -> dict[int, Number]:
        return {n: each for n, each in numbers.items() if channel == "counter" or each.start > now}

    def fitting(self, numbers: dict[int, Number], patient: int, moving: Visit | None) -> dict[int, Number]:
        others = [self.number_of(visit) for visit in self.live(patient) if visit is not moving]
        return {
            n: each
            for n, each in numbers.items()
            if not any(each.start < other.end and other.start < each.end for other in others)
        }

    def lapse_own(self, patient: int, now: datetime) -> None:
        for visit in sorted(self.live(patient), key=lambda each: (each.clinic, each.number)):
            if self.expired(visit, now):
                self.let_go(visit, now)

    def let_go(self, visit: Visit, now: datetime) -> None:
        visit.status = "cancelled"
        self.give_back(self.clinics[visit.clinic], self.number_of(visit), visit.extra, visit.channel == "web", now)

    def over_limit(self, patient: int, clinic: Clinic, channel: str, moving: Visit | None) -> str | None:
        if channel != "web":
            return None
        that_day = [v for v in self.live(patient) if v is not moving and self.clinics[v.clinic].day == clinic.day]
        if any(self.clinics[visit.clinic].department == clinic.department for visit in that_day):
            return "already_booked"
        return "limit" if sum(visit.channel == "web" for visit in that_day) >= 2 else None

    def claim(self, clinic: Clinic, channel: str, number, patient: int, moving, now) -> tuple[str | None, int]:
        """The lowest that fits; one whose hold has passed only when there is no other, and unless it has to rest."""
        there = self.candidates(clinic, channel, number, now)
        ahead = self.ahead(there, channel, now)
        fitting = self.fitting(ahead, patient, moving)
        if not fitting:
            return ("time_conflict" if ahead else "past" if there else "sold_out"), 0
        chosen = min(fitting, key=lambda n: (fitting[n].status == "held", n))
        for visit in self.visits.values():
            if visit.status == "pending" and self.number_of(visit) is fitting[chosen]:
                self.let_go(visit, now)
        if fitting[chosen].status == "resting" and fitting[chosen].until > now:
            return self.claim(clinic, channel, number, patient, moving, now)
        return None, chosen

    def book(self, pk, *, clinic: int, patient: int, channel: str, number: int | None, now: datetime) -> str:
        """`pk` names the new visit."""
        where = self.clinics[clinic]
        if code := self.closed(where, channel, now):
            return code
        there = self.candidates(where, channel, number, now)
        if not self.ahead(there, channel, now):
            return "past" if there else "sold_out"
        self.lapse_own(patient, now)
        if code := self.over_limit(patient, where, channel, None):
            return code
        code, chosen = self.claim(where, channel, number, patient, None, now)
        if code:
            return code
        where.numbers[chosen].put("held", now + HOLD[channel] * MINUTE)
        self.visits[pk] = Visit(patient, clinic, chosen, channel)
        return "ok"

    def confirm(self, visit: Visit, now: datetime) -> str:
        if visit.status == "cancelled" or self.expired(visit, now):
            return "lapsed"
        visit.status = "booked"
        self.number_of(visit).put("booked")
        return "ok"

    def refused_to_cancel(self, visit: Visit, channel: str, now: datetime) -> str | None:
        clinic = self.clinics[visit.clinic]
        late = now > clock.days_before(clinic.day, 1, time(15)) and clinic.open
        return "too_late_to_cancel" if visit.status == "booked" and channel == "web" and late else None

    def cancel(self, visit: Visit, channel: str, now: datetime) -> str:
        if visit.status == "cancelled":
            return "ok"
        if code := self.refused_to_cancel(visit, channel, now):
            return code
        may_rest, visit.status = visit.status == "booked" or visit.channel == "web", "cancelled"
        self.give_back(self.clinics[visit.clinic], self.number_of(visit), visit.extra, may_rest, now)
        return "ok"

    def drop(self, visit: Visit, now: datetime) -> str:
        return "wrong_state" if visit.status == "booked" else self.cancel(visit, "counter", now)

    def give_back(self, clinic: Clinic, number: Number, extra: bool, may_rest: bool, now: datetime) -> None:
        shared = {pool for pool, since in clinic.shared.items() if since <= now}
        alike = [n for n in clinic.numbers.values() if n is not number and n.pool in {number.pool, *shared}]
        if extra or not clinic.open:
            number.put("blocked")
        elif may_rest and clinic.starts > now + timedelta(hours=24) and all(n.status != "free" for n in alike):
            number.put("resting", now + REST)
        else:
            number.put("free")

    def move(self, visit: Visit, *, clinic: int, number: int | None, channel: str, now: datetime) -> str:
        where, old = self.clinics[clinic], self.number_of(visit)
        if visit.status == "cancelled":
            return "wrong_state"
        if code := self.refused_to_cancel(visit, channel, now):
            return code
        if self.expired(visit, now):
            return "lapsed"
        if (clinic, number) == (visit.clinic, visit.number):
            return "ok"
        self.lapse_own(visit.patient, now)
        code = self.closed(where, channel, now) or self.over_limit(visit.patient, where, channel, visit)
        if code:
            return code
        code, chosen = self.claim(where, channel, number, visit.patient, visit, now)
        if code:
            return code
        held = visit.status == "pending"
        until = now + HOLD[channel] * MINUTE
        until = min(until, old.until) if held and channel == "web" else until
        where.numbers[chosen].put(*(("held", until) if held else ("booked",)))
        left, extra, may_rest = self.clinics[visit.clinic], visit.extra, not held or visit.channel == "web"
        visit.clinic, visit.number, visit.channel, visit.extra = clinic, chosen, channel, False
        self.give_back(left, old, extra, may_rest, now)
        return "ok"

    def add_on(self, pk, *, clinic: int, patient: int, now: datetime) -> str:
        where = self.clinics[clinic]
        if not where.open or where.ends <= now:
            return "past" if where.open else "stopped"
        if sum(v.extra and v.clinic == clinic and v.status != "cancelled" for v in self.visits.values()) >= EXTRAS:
            return "extra_limit"
        last = max(where.numbers)
        extra = Number(where.numbers[last].end, where.numbers[last].minutes, "extra", "booked")
        standing = [self.number_of(visit) for visit in self.live(patient) if not self.expired(visit, now)]
        if any(extra.start < other.end and other.start < extra.end for other in standing):
            return "time_conflict"  # the whole act is undone
        self.lapse_own(patient, now)
        where.numbers[last + 1] = extra
        self.visits[pk] = Visit(patient, clinic, last + 1, "consult", "booked", True)
        return "ok"

    def stop(self, clinic: int) -> None:
        where = self.clinics[clinic]
        where.open = False
        for visit in self.visits.values():
            if visit.clinic == clinic and visit.status == "pending":
                visit.status = "cancelled"
        for number in where.numbers.values():
            if number.status != "booked":
                number.put("blocked")
