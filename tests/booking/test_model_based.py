"""The database against a pencil: any sequence of acts, the same answers and the same numbers (X2)."""

import os
from datetime import time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from appointments.models import Appointment, BookingRule, Slot
from appointments.selectors import rules as rule_rows
from appointments.services import booking, changes, extras
from hospital import clock
from hospital.errors import Refused
from tests.booking.model import Clinic, Number, Pencil
from tests.factories import NOW, TODAY, DepartmentFactory, PatientFactory, UserFactory, add_numbers, open_schedule

EXPLORE = os.environ.get("EXPLORE")  # a number of examples: look for new trouble; else the same walk every time
LUCK = settings(
    max_examples=int(EXPLORE or 30),
    stateful_step_count=30,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
CHANNELS = st.sampled_from(["web", "web", "consult", "counter"])
PEOPLE = st.integers(0, 2)
CLINICS = st.integers(0, 3)
NUMBERS = st.sampled_from([None, None, 1, 2, 3, 4])
PICK = st.integers(0, 200)


def clinics():
    """Tomorrow morning with a number kept for the consult room; in three days two departments at the same hours,
    one of them released tomorrow, and the first department again in the afternoon."""
    first, second = DepartmentFactory(), DepartmentFactory()
    tomorrow, later = TODAY + timedelta(days=1), TODAY + timedelta(days=3)
    public = {"pool": "public", "minutes": 60}
    morning = open_schedule(numbers=3, day=tomorrow, department=first, **public)
    add_numbers(morning, count=1, pool="consult", shared=clock.at(TODAY, time(22)))
    afternoon = {"starts_at": clock.at(later, time(12)), "ends_at": clock.at(later, time(16)), "half": "pm"}
    return [
        morning,
        open_schedule(numbers=2, day=later, department=first, **public),
        open_schedule(numbers=3, day=later, department=second, opened=clock.at(tomorrow, time(7)), **public),
        open_schedule(numbers=2, day=later, department=first, **afternoon, **public),
    ]


def drawn(schedules) -> Pencil:
    return Pencil(
        {
            n: Clinic(
                day=row.day,
                department=row.department_id,
                starts=row.starts_at,
                ends=row.ends_at,
                numbers={
                    slot.number: Number(slot.start, slot.minutes, slot.pool.kind)
                    for slot in row.slots.select_related("pool")
                },
                opens={each.pool.kind: each.opens_at for each in row.allotments.select_related("pool")},
                shared={
                    each.pool.kind: each.shared_from
                    for each in row.allotments.select_related("pool").filter(shared_from__isnull=False)
                },
            )
            for n, row in enumerate(schedules)
        }
    )


class Hospital(RuleBasedStateMachine):
    """Every rule does the same act twice: with the services and with the pencil."""

    schedules: list = []
    patients: list = []
    user = None

    @initialize()
    def begin(self):
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.pencil, self.now, self.keys = drawn(self.schedules), NOW, {}

    def teardown(self):
        if hasattr(self, "undo"):
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    def visit(self, pick):
        pks = sorted(self.pencil.visits)
        return pks[pick % len(pks)]

    @staticmethod
    def answer(act):
        try:
            with transaction.atomic():
                return "ok", act()
        except Refused as refusal:
            return refusal.code, None

    @rule(clinic=CLINICS, patient=PEOPLE, channel=CHANNELS, number=NUMBERS)
    def book(self, clinic, patient, channel, number):
        key = f"key {len(self.keys)}"
        asked = {
            "schedule": self.schedules[clinic],
            "patient": self.patients[patient],
            "channel": channel,
            "by": self.user,
            "request_key": key,
            "number": number,
        }
        try:  # a refusal commits: the patient's own expired holds are gone
            code, row = "ok", booking.book(**asked, now=self.now)
        except Refused as refusal:
            code, row = refusal.code, None
        pk = row and row.pk
        assert code == self.pencil.book(
            pk, clinic=clinic, patient=patient, channel=channel, number=number, now=self.now
        )
        if row:
            self.keys[key] = (asked, pk)

    @rule(clinic=CLINICS, patient=PEOPLE)
    def two_in_a_row(self, clinic, patient):
        """One takes the lowest and forgets it, the next comes when that hold has passed."""
        self.book(clinic, patient, "consult", None)
        self.now += timedelta(minutes=3)
        self.book(clinic, (patient + 1) % 3, "web", None)

    @precondition(lambda self: self.keys)
    @rule(pick=PICK)
    def book_again(self, pick):
        """The same request: its own answer, or that what it got is gone."""
        asked, pk = list(self.keys.values())[pick % len(self.keys)]
        visit = self.pencil.visits[pk]
        gone = visit.status == "cancelled" or self.pencil.expired(visit, self.now)
        code, row = self.answer(lambda: booking.book(**asked, now=self.now))
        assert (code, row and row.pk) == (("lapsed", None) if gone else ("ok", pk))

    @precondition(lambda self: self.pencil.visits)
    @rule(pick=PICK)
    def confirm(self, pick):
        pk = self.visit(pick)
        code, _row = self.answer(lambda: changes.confirm(appointment=Appointment(pk=pk), by=None, now=self.now))
        assert code == self.pencil.confirm(self.pencil.visits[pk], self.now)

    @precondition(lambda self: self.pencil.visits)
    @rule(pick=PICK, channel=CHANNELS)
    def cancel(self, pick, channel):
        pk = self.visit(pick)
        code, _row = self.answer(
            lambda: changes.cancel(appointment=Appointment(pk=pk), by=None, channel=channel, now=self.now)
        )
        assert code == self.pencil.cancel(self.pencil.visits[pk], channel, self.now)

    @precondition(lambda self: self.pencil.visits)
    @rule(pick=PICK)
    def drop(self, pick):
        pk = self.visit(pick)
        code, _row = self.answer(lambda: changes.drop(appointment=Appointment(pk=pk), by=None, now=self.now))
        assert code == self.pencil.drop(self.pencil.visits[pk], self.now)

    @precondition(lambda self: self.pencil.visits)
    @rule(pick=PICK, clinic=CLINICS, number=NUMBERS, channel=CHANNELS)
    def move(self, pick, clinic, number, channel):
        pk = self.visit(pick)
        code = "ok"
        try:
            booking.reschedule(
                appointment=Appointment(pk=pk),
                schedule=self.schedules[clinic],
                number=number,
                by=None,
                channel=channel,
                request_key=None,
                now=self.now,
            )
        except Refused as refusal:
            code = refusal.code
        assert code == self.pencil.move(
            self.pencil.visits[pk], clinic=clinic, number=number, channel=channel, now=self.now
        )

    @rule(clinic=CLINICS, patient=PEOPLE)
    def add_on(self, clinic, patient):
        key = f"extra {len(self.pencil.visits)} {clinic} {patient} {self.now}"
        code, row = self.answer(
            lambda: extras.add_extra(
                schedule=self.schedules[clinic],
                patient=self.patients[patient],
                by=self.user,
                reason="术后",
                request_key=key,
                now=self.now,
            )
        )
        assert code == self.pencil.add_on(row and row.pk, clinic=clinic, patient=patient, now=self.now)

    @rule(minutes=st.sampled_from([1, 3, 5, 14, 15, 15, 15, 89, 90, 600, 24 * 60]))
    def time_passes(self, minutes):
        """Holds end, resting numbers re-open, pools open and are shared, cut-offs and clinics go by."""
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: sum(not clinic.open for clinic in self.pencil.clinics.values()) < 2)
    @rule(clinic=CLINICS, pick=PICK)
    def stop(self, clinic, pick):
        if pick % 4 == 0:
            extras.suspend(schedule=self.schedules[clinic], by=None, reason="会议", now=self.now)
            self.pencil.stop(clinic)

    @invariant()
    def every_number_is_as_drawn(self):
        if not hasattr(self, "pencil"):
            return
        places = {row.pk: n for n, row in enumerate(self.schedules)}
        rows = Slot.objects.values_list("schedule", "number", "status", "hold_until")
        assert {(places[schedule], number): (status, until) for schedule, number, status, until in rows} == {
            (n, number): (each.status, each.until)
            for n, clinic in self.pencil.clinics.items()
            for number, each in clinic.numbers.items()
        }
        standing = Appointment.objects.values_list("pk", "schedule", "slot__number", "status")
        assert {pk: (places[schedule], number, status) for pk, schedule, number, status in standing} == {
            pk: (visit.clinic, visit.number, visit.status) for pk, visit in self.pencil.visits.items()
        }


@pytest.mark.django_db
def test_any_sequence_of_acts_gets_the_answers_of_a_careful_clerk(monkeypatch):
    monkeypatch.setattr(booking.random, "uniform", lambda low, high: (low + high) / 2)
    Hospital.schedules, Hospital.user = clinics(), UserFactory()
    BookingRule.objects.update(rest_minutes_min=90, rest_minutes_max=90)  # what rests by itself has no luck either
    Hospital.patients = PatientFactory.create_batch(3)
    rule_rows.forget()

    run_state_machine_as_test(Hospital, settings=LUCK)
