"""What the walk of the claim looks at, read once; nothing is taken and nobody waits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from appointments.models import Allotment, Appointment, Schedule, Slot, TeamReferral
from appointments.models.rules import Channel, Dated
from appointments.policies import booking as policy
from appointments.policies import who
from hospital import clock
from hospital.errors import Refused
from hospital.models import Patient

from .. import promised, reserved, rulebook, rules
from ..numbers import SOURCE, would_rest

GROUND = """
SELECT code, pools FROM booking_ground(
    %(schedule)s, %(patient)s, %(channel)s, %(pools)s::bigint[], %(public)s::bigint, %(team)s::bigint,
    %(referral)s::bigint, NULL, NULL, %(now)s::timestamptz)
"""
"""Step 1 of the claim, a look that writes nothing."""


@dataclass(frozen=True)
class Asked:
    """Who wants what, how. `number` or a slice's `start`, or neither: whatever fits. `partner`: for whom it books."""

    schedule: Schedule  # with service, role and practitioner
    channel: str
    patient: Patient | None = None
    number: int | None = None
    start: datetime | None = None
    partner: int | None = None


@dataclass(frozen=True)
class PoolLine:
    """One pool of the schedule: when it opens to its channels, when to all, and whether this asker may take it now."""

    name: str
    opens_at: datetime
    shared_from: datetime | None
    mine: bool
    open: bool
    free: int
    total: int


@dataclass(frozen=True)
class Step:
    """One question of the claim. `holds` None: not asked, because of an earlier step or for want of a patient."""

    name: str
    holds: bool | None
    says: str
    refusal: Refused | None = None
    rules: tuple[Dated | None, ...] = ()
    pools: tuple[PoolLine, ...] = ()

    @property
    def next(self) -> str:
        return self.refusal.next if self.refusal else ""

    @property
    def links(self) -> list[tuple[str, int, str]]:
        """The rule rows that spoke, as (kind, id, name); what no row was written for has none."""
        written = [rule for rule in self.rules if rule is not None and rule.pk]
        return [(rulebook.kind_of(rule), rule.pk, _name_of(rule)) for rule in written]


def _name_of(rule: Dated) -> str:
    kind = rulebook.KIND_NAMES[rulebook.kind_of(rule)]
    return _("%(kind)s：%(scope)s") % {"kind": kind, "scope": rulebook.scope_name(rule)}


@dataclass(frozen=True)
class Answer:
    """`refusal`: what booking would say; None: it would give number `number`."""

    steps: list[Step]
    refusal: Refused | None
    number: Slot | None
    extra: Step | None = None  # 加号, where the ordinary numbers are no way

    @property
    def because(self) -> str:
        """What the deciding step adds to the sentence of the refusal."""
        step = next((each for each in self.steps if each.refusal), None)
        return step.says if step and step.says != step.refusal.sentence else ""

    @property
    def code(self) -> str:
        return self.refusal.code if self.refusal else "booked"


@dataclass
class Look:
    """Everything that the steps need, read once."""

    asked: Asked
    now: datetime
    rule: Dated = field(init=False)
    pools: rules.ChannelPools = field(init=False)
    ground: str | None = field(init=False)
    usable: set[int] = field(init=False)
    slots: list[Slot] = field(init=False)
    resting: set[int] = field(init=False)  # held too long, and would rest rather than be free
    allotments: list[Allotment] = field(init=False)

    def __post_init__(self):
        schedule, asked = self.asked.schedule, self.asked
        self.rule = rules.booking_rule_for(schedule, day=self.day)
        self.pools = reserved.pools_for_patient(
            asked.channel,
            organization_id=schedule.organization_id,
            patient_id=asked.patient.pk if asked.patient else None,
            day=self.day,
            partner_id=asked.partner,
        )
        self.ground, pools = self._ask_the_ground()
        self.usable = set(pools or ())
        self.slots = list(Slot.objects.filter(schedule=schedule).order_by("number"))
        self.resting = self._would_rest()
        rows = Allotment.objects.filter(schedule=schedule).select_related("pool")
        self.allotments = sorted(rows, key=lambda row: (row.opens_at, row.pool_id))

    def _would_rest(self) -> set[int]:
        lapsed = [slot.pk for slot in self.slots if slot.status == Slot.Status.HELD and slot.hold_until <= self.now]
        rows = Slot.objects.filter(would_rest(self.now), pk__in=lapsed) if lapsed else Slot.objects.none()
        return set(rows.values_list("pk", flat=True))

    @property
    def day(self):
        return clock.today(self.now)

    def _ask_the_ground(self) -> tuple[str | None, list[int] | None]:
        asked = self.asked
        values = {
            "schedule": asked.schedule.pk, "patient": asked.patient.pk if asked.patient else 0,
            "channel": asked.channel, "pools": list(self.pools.ids), "public": self.pools.public,
            "team": self.pools.team, "referral": self.referral, "now": self.now,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(GROUND, values)
            return cursor.fetchone()

    @property
    def referral(self) -> int | None:
        """What the consult room would bring along: this patient's running referral to the team (B11)."""
        schedule, patient = self.asked.schedule, self.asked.patient
        if self.asked.channel != Channel.CONSULT or patient is None or not schedule.gate_team_id:
            return None
        rows = TeamReferral.objects.filter(patient=patient, team=schedule.gate_team_id, valid_until__gt=self.now)
        return rows.order_by("-created_at").values_list("pk", flat=True).first()

    # ---- numbers ----

    def meant(self) -> list[Slot]:
        """The numbers that were asked for, of whatever pool and state."""
        if self.asked.number is not None:
            return [slot for slot in self.slots if slot.number == self.asked.number]
        if self.asked.start is not None:
            ends = self.asked.start + timedelta(minutes=self.rule.segment_minutes)
            return [slot for slot in self.slots if self.asked.start <= slot.start < ends]
        return self.slots

    def free(self, slot: Slot) -> bool:
        """Nobody's: as the claim, an expired hold or rest counts as free, but for a hold that would rest."""
        if slot.pk in self.resting:
            return False
        passing = slot.status in (Slot.Status.HELD, Slot.Status.RESTING) and slot.hold_until <= self.now
        return slot.status == Slot.Status.FREE or passing

    def takeable(self) -> list[Slot]:
        """Of the numbers meant those in a pool that may be taken now; passed minutes are another question."""
        return [slot for slot in self.meant() if slot.pool_id in self.usable and self.free(slot)]

    def ahead(self, slot: Slot) -> bool:
        return policy.may_take_past_numbers(self.asked.channel) or slot.start > self.now


def fitting(look: Look) -> list[Slot]:
    """The numbers that the claim would try, lowest first, rested and free ones before lapsed holds."""
    times = times_of(look)
    fitting = [
        slot
        for slot in look.takeable()
        if look.ahead(slot)
        and not any(
            slot.start < upper and lower < slot.start + timedelta(minutes=slot.minutes) for lower, upper in times
        )
    ]
    return sorted(fitting, key=lambda slot: (slot.status == Slot.Status.HELD, slot.number))


def _lapsed(look: Look):
    """This patient's holds that ran out: the claim lets them go first."""
    rows = Appointment.objects.filter(patient=look.asked.patient, status=Appointment.Status.PENDING)
    return rows.filter(slot__hold_until__lte=look.now)


def times_of(look: Look) -> list[tuple[datetime, datetime]]:
    schedule = look.asked.schedule
    span = (schedule.starts_at, max([schedule.ends_at, *(slot.start for slot in look.slots)]) + timedelta(hours=8))
    rows = promised.times_of([look.asked.patient.pk], between=span)
    rows = rows.exclude(source=SOURCE, source_id__in=_lapsed(look).values("pk"))
    return [(during.lower, during.upper) for during in rows.values_list("during", flat=True)]


def visits_of(look: Look) -> list[who.Visit]:
    day, span = look.asked.schedule.day, timedelta(days=who.QUARTER)
    rows = Appointment.objects.filter(patient=look.asked.patient, day__gt=day - span, day__lt=day + span)
    rows = rows.exclude(status=Appointment.Status.CANCELLED).exclude(pk__in=_lapsed(look).values("pk"))
    return [who.Visit(*row) for row in rows.values_list("day", "department_id", "counts")]
