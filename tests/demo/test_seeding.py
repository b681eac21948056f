"""The demo hospital after seeding: rows that agree with each other, and with what the services leave."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Count, F, Q, Sum

from appointments.demo import people, seeding
from appointments.demo.scale import Scale
from appointments.invariants import violations
from appointments.models import Appointment, Encounter, JobRun, NoShow, Schedule, Slot, TeamReferral
from appointments.services import booking, releasing, supply, visit
from bench import month
from billing import invariants as money
from billing.gateways import ports
from billing.models import CashierShift, Difference, Payment, PaymentRule, Reconciliation
from billing.selectors.ledger import balance, trial_balance
from exams import stats
from exams.models import Device, DiagnosticReport, ExamBooking, ExamRequest
from hospital import clock
from hospital.models import (
    CareTeamMember,
    Department,
    Fact,
    Organization,
    Patient,
    PatientTime,
    Practitioner,
    RelatedPerson,
    RoleAssignment,
    User,
)
from tests.importing.state import fingerprints

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)  # Monday 10:30 at the hospital
TODAY = clock.today(NOW)
TINY = Scale(name="tiny", patients=150, days_back=4, days_ahead=9, wishes=90)
LIVE = ~Q(status="cancelled")


@pytest.fixture(scope="module")
def hospital(django_db_setup, django_db_blocker):
    """One seeded hospital for all tests here; what they change is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        assert seeding.seed(scale=TINY, now=NOW)
        yield Organization.objects.get(kind="hospital")
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _taken_back(hospital):
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def waiting_for_the_demo_doctor() -> int:
    doctor = Practitioner.objects.get(user__username=people.DEMO_DOCTOR)
    return Encounter.objects.filter(schedule__role__practitioner=doctor, status="waiting").count()


def test_the_demo_hospital_is_a_district_hospital():
    hospital = Organization.objects.get(kind="hospital")

    assert hospital.campuses.count() == 2
    assert Department.objects.filter(organization=hospital).count() >= 30
    assert Practitioner.objects.filter(organization=hospital).count() >= 150
    assert Organization.objects.filter(kind="community", parent=hospital).count() == 5
    assert CareTeamMember.objects.filter(leader=True, active=True).count() == 8


def test_a_live_booking_has_a_booked_number_and_a_booked_number_a_live_booking():
    live = set(Appointment.objects.filter(LIVE).values_list("slot", flat=True))

    assert set(Slot.objects.filter(status="booked").values_list("pk", flat=True)) == live
    assert Slot.objects.filter(status="held").count() == 0


def test_a_live_booking_keeps_its_patients_time():
    live = Appointment.objects.filter(LIVE).values_list("pk", flat=True)

    assert set(PatientTime.objects.filter(source="appointment").values_list("source_id", flat=True)) == set(live)


def test_nothing_has_happened_in_the_future_and_nothing_backwards():
    assert Encounter.objects.count() > 200
    for row in Encounter.objects.all():
        times = [row.checked_in_at, row.called_at, row.started_at, row.finished_at]
        happened = [moment for moment in times if moment]
        assert happened == sorted(happened)
        assert happened[-1] <= NOW


def test_the_state_of_a_visit_and_of_its_appointment_agree():
    states = Encounter.objects.values_list("status", "appointment__status").distinct()

    assert set(states) <= {
        ("finished", "fulfilled"), ("in_room", "arrived"), ("called", "arrived"), ("waiting", "arrived"),
    }  # fmt: skip


def test_no_doctor_has_two_patients_at_once():
    by_doctor = defaultdict(list)
    for row in Encounter.objects.filter(finished_at__isnull=False, practitioner__isnull=False):
        by_doctor[row.practitioner_id].append((row.started_at, row.finished_at))
    for visits in by_doctor.values():
        visits.sort()
        assert all(before[1] <= after[0] for before, after in zip(visits, visits[1:], strict=False))


def test_of_past_clinics_everybody_came_or_is_a_no_show():
    over = Appointment.objects.filter(schedule__ends_at__lte=NOW).exclude(status="cancelled")

    assert set(over.values_list("status", flat=True)) <= {"fulfilled", "noshow", "arrived"}
    assert NoShow.objects.count() == Appointment.objects.filter(status="noshow").count() > 0


def test_what_is_booked_in_the_consult_room_was_booked_while_the_patient_was_there():
    booked = Appointment.objects.filter(channel="consult").select_related("booked_from", "by")

    assert len(booked) > 20
    for row in booked:
        assert row.booked_from.patient_id == row.patient_id
        assert row.booked_from.started_at < row.opened_at < row.confirmed_at < row.booked_from.finished_at
        assert row.by.practitioner.pk == row.booked_from.practitioner_id


def test_every_channel_is_used_and_limits_hold_for_the_self_service_ones():
    used = set(Appointment.objects.values_list("channel", flat=True))

    assert used == {"consult", "ward", "web", "app", "phone", "kiosk", "counter", "partner"}
    mine = Appointment.objects.filter(LIVE, self_service=True, counts=True)
    assert not mine.values("patient", "day").annotate(count=Count("pk")).filter(count__gt=2)


def test_a_leading_expert_is_only_booked_by_a_members_referral():
    """B11."""
    leaders = Appointment.objects.filter(schedule__gate_team__isnull=False)

    assert not leaders.filter(referral=None)
    assert not leaders.exclude(referral__patient=F("patient"))
    assert TeamReferral.objects.count() >= leaders.count()


def test_every_booking_left_its_fact():
    booked = Fact.objects.filter(topic="appointment.booked").values_list("key", flat=True)

    assert sorted(booked) == sorted(f"appointment:{pk}" for pk in Appointment.objects.values_list("pk", flat=True))


def test_a_drawn_visit_leaves_the_rows_and_facts_of_the_visit_service():
    """The bulk path is a shortcut, not another truth: compared field by field, fact by fact."""
    drawn = Encounter.objects.filter(status="finished", practitioner__isnull=False).order_by("-pk").first()
    clinic = Schedule.objects.filter(role__isnull=False, day=TODAY, ends_at__gt=NOW, gate_team=None).first()
    patient = Patient.objects.exclude(appointments__day=TODAY).first()
    desk, doctor = User.objects.get(username="fenzhen"), clinic.role.practitioner.user
    Encounter.objects.filter(schedule=clinic, status="in_room").delete()
    row = booking.book(
        schedule=clinic, patient=patient, channel="counter", by=desk, request_key=None, confirmed=True, now=NOW
    )
    real = visit.check_in(appointment=row, by=desk, document_seen=True, now=NOW)
    for act in (visit.call, visit.start, visit.finish):
        real = act(encounter=real, by=doctor, now=NOW)

    def told(encounter):
        facts = Fact.objects.filter(key=f"appointment:{encounter.appointment_id}", topic__startswith="encounter.")
        return [(fact.topic, sorted(fact.payload), fact.actor_id is None) for fact in facts.order_by("pk")]

    def filled(encounter):
        return {field.attname: getattr(encounter, field.attname) is None for field in Encounter._meta.concrete_fields}

    assert told(drawn) == told(real)
    assert filled(drawn) == filled(real)
    assert {drawn.status, drawn.calls, drawn.appointment.status} == {"finished", 1, "fulfilled"}
    for encounter in (drawn, real):
        called = Fact.objects.get(key=f"appointment:{encounter.appointment_id}", topic="encounter.called")
        assert called.payload["room"] == encounter.room_id


def test_old_facts_were_told_long_ago_and_recent_ones_wait_for_the_worker():
    old = Fact.objects.filter(happened_at__lt=NOW - seeding.OLD_NEWS)

    assert not old.filter(fanned_out=False)
    assert not Fact.objects.filter(happened_at__gte=NOW - seeding.OLD_NEWS, fanned_out=True)


def test_the_weeks_to_come_are_partly_booked():
    for days in range(1, 6):
        day = TODAY + timedelta(days=days)
        assert Appointment.objects.filter(day=day, status="booked").exists()
        assert Slot.objects.filter(schedule__day=day, status="free").exists()


def test_the_demo_doctor_has_patients_waiting():
    assert waiting_for_the_demo_doctor() >= 8


@pytest.mark.parametrize(
    "later",
    [
        datetime(2026, 11, 24, 4, 40, tzinfo=UTC),  # Tuesday 12:40
        datetime(2026, 11, 25, 16, 2, tzinfo=UTC),  # Thursday 00:02
        datetime(2026, 11, 28, 13, 0, tzinfo=UTC),  # Saturday 21:00
        datetime(2026, 11, 29, 15, 40, tzinfo=UTC),  # Sunday 23:40
    ],
)
def test_on_a_later_day_at_any_hour_the_demo_doctor_has_patients_waiting_again(later):
    before = set(Encounter.objects.values_list("pk", flat=True))

    assert seeding.seed(scale=TINY, now=later) is False

    fresh = Encounter.objects.exclude(pk__in=before)
    assert {row.schedule.role.practitioner.user.username for row in fresh} == {people.DEMO_DOCTOR}
    assert fresh.filter(status="waiting", schedule__day=clock.today(later)).count() >= 8


def test_a_second_run_on_the_same_day_writes_nothing():
    before = fingerprints()

    assert seeding.seed(scale=TINY, now=NOW + timedelta(hours=1)) is False
    assert fingerprints() == before


def test_the_demo_accounts_sign_in_and_hold_their_roles(settings):
    settings.DEMO, out = True, StringIO()

    call_command("demo_accounts", stdout=out)

    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[0][:3] == ["wangjianguo", people.PASSWORD, "医生"]
    staff = [line[0] for line in lines if line[0].isalpha()]
    assert set(staff) == {people.DEMO_DOCTOR, *(row[0] for row in people.STAFF)}
    assert [line[1:3] for line in lines if line[0].startswith("199")][0] == ["SMS", "code"]
    assert User.objects.get(username="wangjianguo").check_password(people.PASSWORD)
    assert RoleAssignment.objects.filter(role="doctor").count() == Practitioner.objects.count()


def test_a_doctors_account_is_his_alone():
    doctors = Practitioner.objects.exclude(user=None)

    assert doctors.count() == Practitioner.objects.count()
    assert doctors.filter(user__username="wangjianguo").get().name == "王建国"


def test_the_jobs_have_done_what_was_due_and_their_rows_say_so():
    """P4, P6."""
    assert releasing.release(now=NOW) == supply.follow_up(now=NOW) == 0
    runs = dict(JobRun.objects.order_by().values_list("job").annotate(moved=Sum("moved")))

    facts = list(Fact.objects.filter(topic="supply.shared").values_list("payload", flat=True))
    by_kind, by_pool = (sum(sum(fact[name].values()) for fact in facts) for name in ("pools", "numbers"))
    assert runs["recall"] == by_kind == by_pool > 0
    assert runs["release"] > 0
    seven = JobRun.objects.get(job="release", due_at=clock.at(TODAY, time(7)))
    [departments] = seven.detail.values()
    assert seven.moved == sum(sum(kinds.values()) for kinds in departments.values())


def test_the_exams_of_the_month_hold_together_and_their_figures_are_counted_from_them():
    """E1, E3, E6: devices, a drawn month of exams through the planner, days ahead booked, requests open."""
    hospital = Organization.objects.get(kind="hospital")
    figures = stats.figures(organization=hospital.pk, month=TODAY.replace(day=1))
    held = ExamBooking.objects.filter(holds=True)
    own = RelatedPerson.objects.filter(relation="self").values("patient")

    assert Device.objects.filter(organization=hospital).count() == 13
    assert figures.chosen.exams.done == ExamBooking.objects.filter(status="done").count() > 50
    assert figures.chosen.exams.segment.percent > stats.SEGMENT_TARGET
    assert figures.chosen.plans.saved > 0
    assert held.filter(day__gt=TODAY).exists()
    assert PatientTime.objects.filter(source="exam").count() == held.count()
    assert ExamRequest.objects.filter(status="open", patient__in=own).exists()
    assert DiagnosticReport.objects.filter(status="released").count() > 30
    assert ExamBooking.objects.filter(status="done", started_at__gt=NOW).count() == 0
    assert User.objects.get(username="jiancha").role_assignments.get().role == "exam"
    trips = month.row()  # a measure of the bench, whose own test has no hospital
    assert 0 < trips.ours <= trips.reference


def test_the_money_of_the_month_is_drawn_by_the_services_and_counted_from_the_journal():
    """M8: paid at the window, the kiosk, in the consult room and on the phone; each gateway's day beside ours; prepaid
    from today on."""
    hospital = Organization.objects.get(kind="hospital")
    rows = trial_balance(organization_id=hospital.pk, first=TODAY - timedelta(days=30), last=TODAY)
    stands = {row.account: row.after for row in rows}
    days = Reconciliation.objects.filter(organization=hospital)

    assert sum(row.after for row in rows) == 0
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows) > 0
    assert {violation.invariant.name for violation in violations(now=NOW)} & {
        each.name for each in money.INVARIANTS
    } == set()
    assert set(Payment.objects.values_list("way", flat=True)) == {"window", "kiosk", "consult", "phone"}
    assert days.filter(status="closed").exists()
    paid_out = sum(day.received - day.given_back - day.fees for day in days.filter(status="closed"))
    assert stands["at_bank"] == paid_out + balance("at_bank", kind="deposit") > paid_out
    assert Difference.objects.filter(settled_at=None, cure="refund").count() == 1  # for whoever looks at the demo
    assert CashierShift.objects.filter(status="open", opened_at__date=TODAY - timedelta(days=1)).count() == 0
    assert not Payment.objects.filter(succeeded_at__lt=F("shift__opened_at")).exists()
    assert PaymentRule.objects.get(organization=hospital).prepaid == ["web", "app", "kiosk", "consult"]
    assert not ports.payments_at(hospital.pk)  # the gateway of days gone by went with them
