"""The demo's last days through the services, in simulated time: slower, and what the bulk is held against."""

from datetime import date, datetime

from django.db import transaction

from appointments.demo.behaviour import Persona
from appointments.demo.copying import Ids, copy
from appointments.demo.ledger import Booked, Ledger
from appointments.demo.rows import ENCOUNTER, FACT, Visit, by_moment, encounter_row, fact_row, visit_facts
from appointments.models import Appointment, Encounter, Schedule
from appointments.services import booking, changes, noshow, referral, supply
from hospital import clock
from hospital.models import User

REFERRAL_REASON = "需领衔专家会诊"


class ByService:
    """Numbers from the booking service. Visits are written in bulk, as check_in, call, start and finish leave them."""

    def __init__(self, ledger: Ledger, *, told_before: datetime):
        self.ledger, self.told_before = ledger, told_before
        self.encounters = Ids(Encounter._meta.db_table)

    def book(self, *, person: Persona, schedule: Schedule, channel: str, moment: datetime, **more) -> Booked:
        outcome = booking.give_number(
            schedule=schedule, patient_id=person.patient, channel=channel, request_key=None, confirm=True,
            now=moment, **more,
        )  # fmt: skip
        first = more["visit_type"] == Appointment.VisitType.FIRST
        return Booked(outcome.appointment, person.patient, schedule, outcome.start, channel, first, clock.today(moment))

    def cancel(self, row: Booked, *, channel: str, moment: datetime) -> None:
        changes.cancel(appointment=Appointment(pk=row.appointment), by=None, channel=channel, now=moment)

    def move(self, row: Booked, *, schedule: Schedule, channel: str, moment: datetime) -> None:
        appointment = Appointment.objects.select_related("schedule__service").get(pk=row.appointment)
        moved = booking.reschedule(
            appointment=appointment, schedule=schedule, by=None, channel=channel, request_key=None, now=moment
        )
        row.schedule, row.start = schedule, moved.start

    def refer(self, visit: Visit, *, doctor: User, moment: datetime) -> int:
        encounter = Encounter.objects.select_related("schedule").get(pk=visit.encounter)
        encounter.practitioner.user = doctor
        opened = referral.refer_within_team(
            encounter=encounter, by=encounter.practitioner, reason=REFERRAL_REASON, now=moment
        )
        return opened.pk

    def write_visits(self, visits: list[Visit]) -> None:
        """Encounters, the states of their appointments, and the facts, as of now."""
        now, desk = self.ledger.now, self.ledger.users["fenzhen"].pk
        arrived, fulfilled, facts = [], [], []
        for visit in visits:
            visit.encounter = next(self.encounters)
            arrived.append(visit.turn.booked.appointment)
            if visit.turn.finished_at <= now:
                fulfilled.append(visit.turn.booked.appointment)
            facts += visit_facts(visit, now=now, desk=desk, doctor=self.ledger.account.get(visit.practitioner))
        facts.sort(key=by_moment)
        with transaction.atomic():
            copy(*ENCOUNTER, (encounter_row(visit, now=now, desk=desk) for visit in visits))
            Appointment.objects.filter(pk__in=arrived).update(status=Appointment.Status.ARRIVED)
            Appointment.objects.filter(pk__in=fulfilled).update(status=Appointment.Status.FULFILLED)
            copy(*FACT, (fact_row(fact, told_before=self.told_before) for fact in facts))

    def end_day(self, day: date, *, at: datetime) -> None:
        """What the jobs of that night find due."""
        noshow.mark_noshows(now=at)
        supply.follow_up(now=at)
