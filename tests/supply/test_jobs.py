"""The jobs and their commands: each finds its own work, twice is once."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from celery import current_app
from django.core.management import CommandError, call_command

from appointments import tasks
from appointments.models import Appointment, NoShow, Schedule
from appointments.services.defaults import ensure_defaults
from hospital.models import GatewayReceipt
from tests.factories import (
    NOW,
    TODAY,
    CampusFactory,
    OrganizationFactory,
    PatientFactory,
    TemplateFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stopped_clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def template():
    ensure_defaults(OrganizationFactory())
    CampusFactory()
    return TemplateFactory(weekday=1, starts=time(8), ends=time(12))


def test_the_nightly_job_lays_out_a_hundred_days_from_the_hospitals_today(template):
    """P2. At 01:30 at the hospital UTC is still in the day before."""
    with time_machine.travel(datetime(2026, 11, 22, 17, 30, tzinfo=UTC), tick=False):
        tasks.lay_out_schedules()
        tasks.lay_out_schedules()

    days = list(Schedule.objects.order_by("day").values_list("day", flat=True))
    assert (days[0], days[-1]) == (TODAY, TODAY + timedelta(days=98))
    assert len(days) == 15


def test_a_missed_night_is_caught_up_by_the_next(template, stopped_clock):
    tasks.lay_out_schedules()
    stopped_clock.shift(timedelta(days=21))
    tasks.lay_out_schedules()

    assert Schedule.objects.count() == 18


def test_every_job_of_beat_is_a_task_that_is_there():
    current_app.loader.import_default_modules()

    assert {entry["task"] for entry in current_app.conf.beat_schedule.values()} <= set(current_app.tasks)


def test_all_jobs_run_by_hand_in_their_order(template, stopped_clock, capsys):
    held = appointment_row(open_schedule(numbers=1), PatientFactory(), status="pending")
    held.slot.hold_until = NOW
    held.slot.save()
    schedule = open_schedule(numbers=1)
    add_numbers(schedule, count=2, pool="partner", shared=NOW, minutes=10)
    missed = appointment_row(open_schedule(numbers=1, day=TODAY - timedelta(days=1)), PatientFactory())

    call_command("run_jobs")

    assert Schedule.objects.filter(template=template).count() == 15
    assert Appointment.objects.get(pk=held.pk).status == "cancelled"
    assert set(schedule.slots.values_list("pool__kind", flat=True)) == {"public"}
    assert NoShow.objects.get().appointment == missed
    names = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert {"generate", "release", "share", "lapse", "noshow", "remind"} < set(names)
    assert names[-2:] == ["deliver", "send"]


def test_a_job_is_run_by_name_and_a_wrong_name_is_refused_with_the_right_ones(template, stopped_clock):
    call_command("run_jobs", "generate")
    assert Schedule.objects.count() == 15
    assert not GatewayReceipt.objects.exists()

    with pytest.raises(CommandError, match="generate, release, share, lapse"):
        call_command("run_jobs", "generat")


def test_the_command_says_what_was_added_and_what_the_office_should_look_at(template, stopped_clock, capsys):
    TemplateFactory(role=template.role, weekday=1, starts=time(9), ends=time(10), numbers=6)
    call_command("lay_out", days=7)
    said = capsys.readouterr().out
    assert "2 schedules with 32 numbers added" in said
    assert said.count("conflict: ") == 2

    template.numbers = 20
    template.save()
    call_command("lay_out", "--preview", days=7)
    assert "[relay]: capacity: 16 → 20" in capsys.readouterr().out
    assert set(Schedule.objects.values_list("capacity", flat=True)) == {16}

    call_command("lay_out", "--relay", days=7)
    assert Schedule.objects.get(day=TODAY + timedelta(days=7)).capacity == 20


def test_an_organization_that_is_not_there_is_refused():
    with pytest.raises(CommandError, match="XX"):
        call_command("lay_out", organization="XX")
