"""A month of referrals around the numbers and visits that the demo's people had."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from appointments.models import Appointment, Encounter
from hospital import clock
from hospital.models import Organization, Patient, Practitioner, User
from referrals.models import CarePlan, FollowUp, Referral, ReferralEvent
from referrals.services import writing

from .words import ANSWERS, QUESTIONS, REJECTED, WITHDRAWN, Story, consent_of, story

Status, Kind, State = Referral.Status, ReferralEvent.Kind, Appointment.Status
OF_PARTNERS = 0.4
"""Of the numbers that a community took, those with a letter."""

BY_OFFICE = 0.05
"""Of the numbers booked at the desk or by phone, those that the referral office booked for a letter."""

BACK_DOWN = 0.3
"""Of the referred who were seen, those who go back with a plan."""

DOWN_ONLY = 45
REFUSED = 16
FOLLOWED = 0.8
OVER = {Status.COMPLETED, Status.RETURNED, Status.REJECTED, Status.WITHDRAWN}


class Drawn:
    """One referral and its steps, in their order. Only what lies behind happens."""

    def __init__(self, row: Referral, *, now: datetime):
        self.row, self.now, self.steps = row, now, []

    def step(self, kind: str, at: datetime, *, by: User | None, of: int | None, status: str = "", text: str = "",
             detail: dict | None = None) -> bool:  # fmt: skip
        if at > self.now:
            return False
        row = self.row
        row.status = status or row.status
        if row.status in OVER:
            row.ended_at, row.due_at = at, None
        if of == row.receiver_id and kind in (Kind.ASKED, Kind.ACCEPTED, Kind.BOOKED, Kind.REJECTED):
            row.answered_at = row.answered_at or at
        self.steps.append(
            ReferralEvent(referral=row, kind=kind, status=row.status, organization_id=of, by=by, text=text,
                          detail=detail or {}, at=at)
        )  # fmt: skip
        return True


class Month:
    def __init__(self, house: Organization, communities: list[Organization], *, users: dict[str, User], dice, now):
        self.house, self.communities, self.users = house, communities, users
        self.dice, self.now, self.today = dice, now, clock.today(now)
        self.office = users["zhuanzhen"]
        self.doctors = defaultdict(list)
        rows = Practitioner.objects.filter(organization__in=communities, active=True, user__isnull=False)
        for row in rows.select_related("user").order_by("code"):
            self.doctors[row.organization_id].append(row)
        self.drawn: list[Drawn] = []
        self.plans: list[CarePlan] = []
        self.follow_ups: list[FollowUp] = []

    def live(self, *, since: datetime) -> tuple[int, int]:
        """How many up and down."""
        taken = set()
        for number in self._numbers(since):
            if number.patient_id not in taken:
                taken.add(number.patient_id)
                self._up(number)
        seen = Encounter.objects.filter(
            schedule__organization=self.house, status=Encounter.Status.FINISHED, finished_at__gt=since,
            practitioner__user__isnull=False,
        ).exclude(patient__in=taken)  # fmt: skip
        seen = list(seen.select_related("patient", "department", "practitioner__user").order_by("pk"))
        chosen = self.dice.sample(seen, min(len(seen), DOWN_ONLY + REFUSED))
        for visit in chosen[:DOWN_ONLY]:
            self._down(visit, self.dice.choice(self.communities), story(self.dice, visit.department.name))
        for visit in chosen[DOWN_ONLY:]:
            self._refused(visit)
        self._write()
        up = sum(each.row.direction == "up" for each in self.drawn)
        return up, len(self.drawn) - up

    def _numbers(self, since: datetime) -> list[Appointment]:
        """Numbers that letters came with, and numbers that the office found for one."""
        rows = Appointment.objects.filter(
            schedule__organization=self.house, confirmed_at__gt=since, referred_by=None
        ).select_related("patient", "department", "encounter__practitioner__user", "schedule")
        own = list(rows.filter(partner__in=self.communities).order_by("pk"))
        desk = rows.filter(channel__in=["counter", "phone", "web", "app"], day__lt=self.today)
        found = self.dice.sample(own, round(len(own) * OF_PARTNERS))
        many = min(round(desk.count() * BY_OFFICE), 60)
        ids = list(desk.order_by("pk").values_list("pk", flat=True))
        found += rows.filter(pk__in=self.dice.sample(ids, min(many, len(ids))))
        return sorted(found, key=lambda row: row.pk)

    # ---- up ----

    def _letter(self, patient: Patient, department, origin: Organization, at: datetime) -> tuple[Drawn, Story]:
        told = story(self.dice, department.name)
        doctor, by = self._writer(origin)
        urgency = self.dice.choices(("routine", "urgent"), (4, 1))[0]  # what is green came without a number
        row = Referral(
            direction="up", status=Status.DRAFT, urgency=urgency, patient=patient, origin=origin, receiver=self.house,
            doctor=doctor, by=by, department=department, reason=told.reason, diagnosis_code=told.code,
            diagnosis=told.diagnosis, history=told.history, medication=told.medication,
            consent=consent_of(patient, day=clock.today(at)), consented_at=at - timedelta(minutes=2),
            created_at=at - timedelta(minutes=6), sent_at=at,
        )  # fmt: skip
        drawn = Drawn(row, now=self.now)
        drawn.step(Kind.CREATED, row.created_at, by=by, of=origin.pk)
        drawn.step(Kind.SENT, at, by=by, of=origin.pk, status=Status.SENT)
        self.drawn.append(drawn)
        return drawn, told

    def _writer(self, origin: Organization) -> tuple[Practitioner | None, User]:
        doctors = self.doctors[origin.pk]
        doctor = self.dice.choice(doctors) if doctors else None
        desk = {"SQ1": "shequ", "SQ2": "shibu"}.get(origin.code)
        return doctor, self.users[desk] if desk or doctor is None else doctor.user

    def _up(self, number: Appointment) -> None:
        own = number.partner_id is not None
        origin = next((one for one in self.communities if one.pk == number.partner_id), None)
        origin = origin or self.dice.choice(self.communities)
        booked = number.confirmed_at
        sent = booked if own else booked - timedelta(minutes=self.dice.randrange(20, 600))
        drawn, told = self._letter(number.patient, number.department, origin, sent)
        row = drawn.row
        if not own and self.dice.random() < 0.25:
            middle = sent + (booked - sent) / 2
            drawn.step(Kind.ASKED, sent + (booked - sent) / 4, by=self.office, of=self.house.pk, status=Status.ASKED,
                       text=self.dice.choice(QUESTIONS))  # fmt: skip
            drawn.step(Kind.ANSWERED, middle, by=row.by, of=origin.pk, status=Status.ANSWERED,
                       text=self.dice.choice(ANSWERS))  # fmt: skip
        by, of = (row.by, origin.pk) if own else (self.office, self.house.pk)
        detail = {"appointment": number.pk, "start": number.start.isoformat()}
        drawn.step(Kind.BOOKED, booked, by=by, of=of, status=Status.BOOKED, detail=detail)
        row.appointment = number
        self._become(drawn, number, told)

    def _become(self, drawn: Drawn, number: Appointment, told: Story) -> None:
        """As the number's own fate was."""
        if number.status in (State.CANCELLED, State.NOSHOW):
            why = "cancelled" if number.status == State.CANCELLED else "noshow"
            at = number.cancelled_at or number.start + timedelta(hours=10)
            if drawn.step(Kind.LOST, at, by=None, of=None, status=Status.ACCEPTED,
                          detail={"appointment": number.pk, "why": why}):  # fmt: skip
                drawn.row.appointment, drawn.row.due_at = None, at + timedelta(days=2)
                self._after_the_loss(drawn, at)
            return
        visit = getattr(number, "encounter", None)
        if visit is None or not drawn.step(Kind.ARRIVED, visit.checked_in_at, by=None, of=self.house.pk,
                                           status=Status.ARRIVED):  # fmt: skip
            return
        if visit.finished_at and drawn.step(Kind.SEEN, visit.finished_at, by=None, of=self.house.pk,
                                            status=Status.SEEN):  # fmt: skip
            self._after_the_visit(drawn, visit, told)

    def _after_the_loss(self, drawn: Drawn, at: datetime) -> None:
        """Most letters are over with that; a few wait to be booked anew."""
        later, draw = at + timedelta(hours=self.dice.randint(5, 40)), self.dice.random()
        if draw < 0.6:
            drawn.step(Kind.WITHDRAWN, later, by=drawn.row.by, of=drawn.row.origin_id, status=Status.WITHDRAWN,
                       text=self.dice.choice(WITHDRAWN), detail={"appointment": None})  # fmt: skip
        elif draw < 0.85:
            drawn.step(Kind.REJECTED, later, by=self.office, of=self.house.pk, status=Status.REJECTED,
                       text=REJECTED[-1], detail={"appointment": None})  # fmt: skip

    def _after_the_visit(self, drawn: Drawn, visit: Encounter, told: Story) -> None:
        doctor, at = visit.practitioner, visit.finished_at
        if doctor and doctor.user_id and self.dice.random() < BACK_DOWN:
            down = self._down(visit, drawn.row.origin, told, answers_to=drawn.row)
            drawn.step(Kind.RETURNED, down.row.sent_at, by=doctor.user, of=self.house.pk, status=Status.RETURNED)
        elif self.dice.random() < 0.9:
            drawn.step(Kind.COMPLETED, at + timedelta(minutes=9), by=doctor and doctor.user, of=self.house.pk,
                       status=Status.COMPLETED)  # fmt: skip

    def _refused(self, visit: Encounter) -> None:
        """A letter that led to nothing."""
        sent = visit.finished_at - timedelta(days=self.dice.randint(1, 3), minutes=self.dice.randrange(300))
        origin = self.dice.choice(self.communities)
        drawn, _told = self._letter(visit.patient, visit.department, origin, sent)
        at = sent + timedelta(minutes=self.dice.randrange(15, 900))
        drawn.step(Kind.REJECTED, at, by=self.office, of=self.house.pk, status=Status.REJECTED,
                   text=self.dice.choice(REJECTED), detail={"appointment": None})  # fmt: skip

    # ---- down ----

    def _down(self, visit: Encounter, to: Organization, told: Story, answers_to: Referral | None = None) -> Drawn:
        doctor = visit.practitioner
        sent = min(visit.finished_at + timedelta(minutes=4), self.now)
        row = Referral(
            direction="down", status=Status.DRAFT, patient=visit.patient, origin=self.house, receiver=to,
            doctor=doctor, by=doctor.user, encounter=visit, answers_to=answers_to, reason="病情稳定，转回社区管理",
            diagnosis_code=told.code, diagnosis=told.diagnosis, history=told.history,
            consent=consent_of(visit.patient, day=clock.today(sent)), consented_at=sent,
            created_at=sent - timedelta(minutes=3), sent_at=sent,
        )  # fmt: skip
        drawn = Drawn(row, now=self.now)
        drawn.step(Kind.CREATED, row.created_at, by=doctor.user, of=self.house.pk)
        drawn.step(Kind.SENT, sent, by=doctor.user, of=self.house.pk, status=Status.SENT)
        _doctor, taker = self._writer(to)
        taken = sent + timedelta(hours=self.dice.randint(1, 30))
        if not drawn.step(Kind.ACCEPTED, taken, by=taker, of=to.pk, status=Status.ACCEPTED):
            row.due_at = writing.due(row, now=sent)
        self.drawn.append(drawn)
        self._plan(drawn, told, taker, day=clock.today(sent))
        return drawn

    def _plan(self, drawn: Drawn, told: Story, by: User, *, day: date) -> None:
        row, due = drawn.row, day + timedelta(days=7)
        self.plans.append(
            CarePlan(
                referral=row, summary=told.history, medication=told.plan, warning_signs=told.warning,
                follow_up_on=day + timedelta(days=28), follow_up_at=row.receiver,
            )
        )  # fmt: skip
        follow_up = FollowUp(referral=row, patient=row.patient, organization=row.receiver, due_on=due)
        done = clock.at(due, datetime.min.time()) + timedelta(hours=9 + self.dice.randrange(8))
        if row.status == Status.ACCEPTED and done < self.now and self.dice.random() < FOLLOWED:
            follow_up.done_at, follow_up.by, follow_up.way = done, by, self.dice.choice(FollowUp.Way.values)
            follow_up.outcome = self.dice.choices(FollowUp.Outcome.values[:2], (1, 2))[0]
            follow_up.text = "按方案服药，无不适。"
            drawn.step(Kind.FOLLOWED_UP, done, by=by, of=row.receiver_id)
            drawn.step(Kind.COMPLETED, done, by=by, of=row.receiver_id, status=Status.COMPLETED)
        self.follow_ups.append(follow_up)

    # ---- rows ----

    def _write(self) -> None:
        """In the order of who names whom."""
        for direction in ("up", "down"):
            Referral.objects.bulk_create(each.row for each in self.drawn if each.row.direction == direction)
        steps = [step for each in self.drawn for step in each.steps]
        ReferralEvent.objects.bulk_create(sorted(steps, key=lambda step: step.at), batch_size=2_000)
        CarePlan.objects.bulk_create(self.plans)
        FollowUp.objects.bulk_create(self.follow_ups)
