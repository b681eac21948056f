"""Nine days of December between a hospital and its communities: 79 referrals up, 108 down.

Drawn: who refers, when, how urgently, what becomes of it, and what lies around it that must not be counted. The
figures are counted from the rows; nothing here writes one.
"""

import random
from datetime import date, datetime, time, timedelta

from hospital import clock
from hospital.models import Organization, Patient
from referrals.models import Referral, ReferralEvent
from tests.factories import CommunityFactory, DepartmentFactory, OrganizationFactory, PatientFactory, StaffFactory

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 9)
UP, DOWN = 79, 108
REASONS = ("资料不全，请补充后再转", "本院暂无该专科床位", "可在基层随访，无需上转")
STATES = ("sent", "asked", "answered", "accepted", "redirected", "arrived", "seen", "completed", "rejected")


def nine_days(seed: str = "december") -> Organization:
    """The hospital whose nine days these are."""
    dice = random.Random(seed)
    house = OrganizationFactory()
    communities = [CommunityFactory(code=f"SQ{number}", name=f"{number}号社区") for number in range(1, 6)]
    elsewhere = Organization.objects.create(code="QT", name="邻区医院", kind="hospital")
    world = World(dice, house, communities, elsewhere)
    counted = [world.referral("up", world.moment()) for _each in range(UP)]
    counted += [world.referral("down", world.moment()) for _each in range(DOWN)]
    start, end = clock.at(FIRST, time(0)), clock.at(LAST + timedelta(days=1), time(0))
    around = [world.referral(way, moment) for way in ("up", "down") for moment in (start - SECOND, end)]
    around += [world.referral(way, world.moment(), status="withdrawn") for way in ("up", "down", "up")]
    around += [world.referral("up", world.moment(), status="draft") for _each in range(4)]
    around += [world.referral("up", world.moment(), to=elsewhere) for _each in range(6)]
    Referral.objects.bulk_create(dice.sample([*counted, *around], len(counted) + len(around)))
    ReferralEvent.objects.bulk_create(world.steps(counted))
    return house


SECOND = timedelta(seconds=1)


class World:
    def __init__(self, dice, house, communities, elsewhere):
        self.dice, self.house, self.communities = dice, house, communities
        self.departments = [DepartmentFactory(code=f"D{n}", name=f"{n}号科室") for n in range(3)]
        self.theirs = DepartmentFactory(organization=elsewhere, code="QT1")
        self.doctors = {one.pk: StaffFactory(roles="partner", roles__at=one) for one in communities}
        self.office = StaffFactory(roles="referral")
        self.people = PatientFactory.create_batch(30)
        self.taken: set[tuple] = set()

    def moment(self) -> datetime:
        """Some minute of the nine days, by night as well."""
        return clock.at(FIRST, time(0)) + timedelta(minutes=self.dice.randrange(9 * 24 * 60))

    def referral(self, way: str, moment: datetime, *, status: str = "", to=None) -> Referral:
        status = status or self.dice.choice(STATES)
        community = self.dice.choice(self.communities)
        department = self.theirs if to else self.dice.choice(self.departments)
        over = status in ("completed", "rejected", "withdrawn")
        answered = None if status in ("sent", "draft", "withdrawn") else moment + self._later()
        pair = {"origin": community, "receiver": to or self.house}
        if way == "down":
            pair, department = {"origin": self.house, "receiver": community}, None
        return Referral(
            direction=way, status=status, **pair, patient=self._patient(department), department=department,
            by=self.office if way == "down" else self.doctors[community.pk],
            urgency=self.dice.choices(("routine", "urgent", "green"), (8, 3, 1))[0], reason="血压控制不佳",
            diagnosis="高血压 3 级", consent="patient", consented_at=moment, created_at=moment - timedelta(hours=1),
            sent_at=None if status == "draft" else moment, answered_at=answered, ended_at=moment if over else None,
        )  # fmt: skip

    def _later(self) -> timedelta:
        return timedelta(minutes=self.dice.randrange(3, 2_000))

    def _patient(self, department) -> Patient:
        """Nobody is referred to one department twice at once."""
        free = [one for one in self.people if department is None or (one.pk, department.pk) not in self.taken]
        if not free:
            self.people.append(PatientFactory())
            free = self.people[-1:]
        chosen = self.dice.choice(free)
        self.taken.add((chosen.pk, department and department.pk))
        return chosen

    def steps(self, rows: list[Referral]) -> list[ReferralEvent]:
        """What the trail says of some: sent back and why, chased, redirected."""
        kinds = {"rejected": "rejected", "redirected": "redirected"}
        steps = [self._step(row, kinds[row.status], self.dice.choice(REASONS)) for row in rows if row.status in kinds]
        return steps + [self._step(row, "escalated", "") for row in rows if self.dice.random() < 0.1]

    def _step(self, row: Referral, kind: str, text: str) -> ReferralEvent:
        return ReferralEvent(referral=row, kind=kind, status=row.status, text=text, at=row.sent_at, by=self.office)
