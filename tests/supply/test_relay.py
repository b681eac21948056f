"""P2: what happens when a template changes afterwards. A booked schedule is never touched."""

from datetime import time, timedelta

import pytest
from django.db import connection

from appointments.models import Allotment, LayoutDraft, Schedule, Slot, StopCase, Substitution, Suspension
from appointments.services import planning
from hospital.models import Fact
from tests.factories import (
    NOW,
    TODAY,
    PatientFactory,
    RoomFactory,
    TemplateFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)
from tests.waitlist.rows import entry

from .scenes import MONDAY, lay_out

pytestmark = pytest.mark.django_db


def test_a_changed_template_never_touches_a_booked_schedule_and_says_so(hospital):
    template = TemplateFactory(numbers=16)
    lay_out(hospital, last=MONDAY + timedelta(days=7))
    booked, free = Schedule.objects.order_by("day")
    appointment_row(booked, PatientFactory(), number=3)
    template.numbers = 20
    template.save()

    result = lay_out(hospital, last=MONDAY + timedelta(days=7))

    assert [change.schedule for change in result.left_alone] == [booked.pk]
    assert [(change.schedule, change.action) for change in result.changed] == [(free.pk, "relay")]
    assert result.changed[0].differences == (("capacity", "16", "20"),)
    assert Slot.objects.count() == 32


def test_relay_lays_unbooked_schedules_anew_and_leaves_booked_ones(hospital):
    template = TemplateFactory(numbers=16)
    lay_out(hospital, last=MONDAY + timedelta(days=7))
    booked, free = Schedule.objects.order_by("day")
    appointment_row(booked, PatientFactory(), number=3)
    template.numbers = 20
    template.save()

    done = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY + timedelta(days=7), now=NOW)

    assert [(change.action, change.day) for change in done] == [("left_alone", booked.day), ("relay", free.day)]
    assert [(row.day, row.slots.count()) for row in Schedule.objects.order_by("day")] == [
        (booked.day, 16),
        (free.day, 20),
    ]
    assert Fact.objects.filter(topic="schedule.relaid", key=f"schedule:{free.pk}").count() == 1


@pytest.mark.parametrize("how", ["moved to", "waited for"])
def test_relay_leaves_what_somebody_moved_to_or_waited_for(hospital, how):
    """Who moved on leaves no booking behind; the stop's question and the waitlist still name the session."""
    template = TemplateFactory()
    lay_out(hospital)
    schedule = Schedule.objects.get()
    if how == "moved to":
        other = open_schedule(day=MONDAY + timedelta(days=1))
        order = Suspension.objects.create(
            organization=hospital, status="active", cause="leave", schedules=[other.pk], first_day=MONDAY,
            last_day=MONDAY, asked_by=UserFactory(), asked_at=NOW, decided_at=NOW,
        )  # fmt: skip
        row = appointment_row(other, PatientFactory())
        StopCase.objects.create(
            substitution=Substitution.objects.create(suspension=order, schedule=other), appointment=row,
            patient=row.patient, token_hash="0", deadline=NOW, opened_at=NOW, answer="move", answered_at=NOW,
            moved_to=schedule,
        )  # fmt: skip
    else:
        entry(schedule=schedule, status="ended", why="cutoff", ended_at=NOW)
    template.active = False
    template.save()

    (change,) = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert (change.action, Schedule.objects.filter(pk=schedule.pk).exists()) == ("left_alone", True)


def test_relay_drops_what_an_earlier_draft_speaks_of(hospital):
    template = TemplateFactory()
    lay_out(hospital)
    draft = LayoutDraft.objects.create(
        organization=hospital, first_day=MONDAY, last_day=MONDAY, digest="0", by=UserFactory(), created_at=NOW
    )
    line = draft.lines.create(action="change", schedule=Schedule.objects.get(), day=MONDAY, name="出诊")
    template.active = False
    template.save()

    planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    connection.check_constraints()
    line.refresh_from_db()
    assert line.schedule is None


def test_relay_drops_what_a_deactivated_template_no_longer_yields(hospital):
    template = TemplateFactory()
    lay_out(hospital)
    template.active = False
    template.save()

    (change,) = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.action == "drop"
    assert (Schedule.objects.count(), Slot.objects.count(), Allotment.objects.count()) == (0, 0, 0)


def test_a_cancelled_appointment_still_keeps_its_schedule_from_being_dropped(hospital):
    template = TemplateFactory()
    lay_out(hospital)
    schedule = Schedule.objects.get()
    appointment_row(schedule, PatientFactory(), status="cancelled", cancelled_at=NOW)
    schedule.slots.update(status="free")
    template.active = False
    template.save()

    (preview,) = planning.changes(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)
    assert preview.action == "left_alone"
    (change,) = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.action == "left_alone"
    assert Schedule.objects.count() == 1


def test_a_preview_names_the_change_and_changes_nothing(hospital):
    template = TemplateFactory(numbers=16)
    lay_out(hospital)
    template.room = RoomFactory(name="新诊室")
    template.save()

    (change,) = planning.changes(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.action == "relay"
    assert "新诊室" in str(change)
    assert Schedule.objects.get().room != template.room


def test_a_number_taken_between_the_look_and_the_lock_saves_its_schedule(hospital, monkeypatch):
    template = TemplateFactory()
    lay_out(hospital)
    template.active = False
    template.save()
    seen = planning.changes(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)
    appointment_row(Schedule.objects.get(), PatientFactory())
    monkeypatch.setattr(planning, "changes", lambda **_kwargs: seen)

    (change,) = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.action == "left_alone"
    assert Schedule.objects.get().slots.count() == 16


def test_a_number_blocked_between_the_look_and_the_lock_saves_its_schedule(hospital, monkeypatch):
    template = TemplateFactory()
    lay_out(hospital)
    template.active = False
    template.save()
    seen = planning.changes(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)
    Slot.objects.filter(number=3).update(status="blocked")
    monkeypatch.setattr(planning, "changes", lambda **_kwargs: seen)

    (change,) = planning.relay(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.action == "left_alone"


def test_other_hours_are_named_as_the_hospitals_clock_shows_them(hospital):
    template = TemplateFactory()
    lay_out(hospital)
    template.starts, template.ends = time(8, 30), time(12)
    template.save()

    (change,) = planning.changes(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)

    assert change.differences == (("starts_at", "08:00", "08:30"),)


def test_today_is_not_relaid_once_it_has_begun(hospital):
    template = TemplateFactory()
    lay_out(hospital, first=TODAY, last=TODAY)
    template.active = False
    template.save()

    assert planning.relay(organization=hospital, first_day=TODAY, last_day=TODAY, now=NOW) == []
