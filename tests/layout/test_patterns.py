"""P2: the office creates, changes, ends and copies weekly half-days; nothing is laid out by that."""

from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from appointments.errors import TemplateRefused
from appointments.models import Schedule, ScheduleTemplate
from appointments.services import patterns
from hospital.models import AuditEvent, CalendarDay, Contract
from tests.factories import (
    NOW,
    CampusFactory,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    ServiceFactory,
    StaffFactory,
    TeamFactory,
    TeamMemberFactory,
    TemplateFactory,
)
from tests.supply.scenes import MONDAY, lay_out

pytestmark = pytest.mark.django_db


def wanted(template: ScheduleTemplate, **changes) -> ScheduleTemplate:
    said = {name: getattr(template, name) for name in patterns.KEPT} | changes
    return ScheduleTemplate(organization=template.organization, **said)


@pytest.fixture
def office():
    return StaffFactory(roles="office")


def test_a_new_pattern_waits_for_a_draft_and_the_nightly_job_leaves_it(hospital, office):
    role = RoleFactory()
    fresh = ScheduleTemplate(
        organization=hospital, department=role.department, service=role.service, role=role, room=RoomFactory(),
        weekday=1, half="am", numbers=16, minutes=15, effective_from=MONDAY,
    )  # fmt: skip
    kept = patterns.create(template=fresh, by=office, now=NOW)

    assert kept.published_at is None
    assert lay_out(hospital).added == 0
    assert AuditEvent.objects.get(action="template.created").detail["after"]["numbers"] == 16


def test_a_change_ends_the_old_row_the_day_before_and_keeps_the_past_readable(hospital, office):
    template = TemplateFactory(numbers=16)
    lay_out(hospital)

    kept = patterns.change(
        template=template, wanted=wanted(template, numbers=20, effective_from=MONDAY), by=office, now=NOW
    )

    template.refresh_from_db()
    assert (template.numbers, template.effective_to) == (16, MONDAY - timedelta(days=1))
    assert (kept.numbers, kept.effective_from, kept.published_at) == (20, MONDAY, None)
    assert Schedule.objects.get().capacity == 16
    assert lay_out(hospital, last=MONDAY + timedelta(days=7)).added == 0  # nobody decided yet


def test_what_is_not_published_is_changed_in_place(hospital, office):
    template = TemplateFactory(numbers=16, published_at=None, effective_from=MONDAY)

    kept = patterns.change(template=template, wanted=wanted(template, numbers=20), by=office, now=NOW)

    assert (kept.pk, kept.numbers) == (template.pk, 20)


def test_what_begins_only_then_is_changed_in_place_and_waits_again(hospital, office):
    template = TemplateFactory(numbers=16, effective_from=MONDAY)

    kept = patterns.change(template=template, wanted=wanted(template, numbers=20), by=office, now=NOW)

    assert (kept.pk, kept.published_at, ScheduleTemplate.objects.count()) == (template.pk, None, 1)


def test_ending_before_the_first_day_puts_it_out_of_use_and_the_same_can_be_kept_again(hospital, office):
    template = TemplateFactory(effective_from=MONDAY)
    patterns.end(template=template, last_day=MONDAY - timedelta(days=1), by=office, now=NOW)
    template.refresh_from_db()
    assert not template.active

    again = patterns.create(template=wanted(template), by=office, now=NOW)

    assert (again.pk, again.active, ScheduleTemplate.objects.count()) == (template.pk, True, 1)


def test_a_change_in_place_to_what_was_put_out_of_use_takes_that_into_use_again(hospital, office):
    retired = TemplateFactory(effective_from=MONDAY, active=False)
    template = TemplateFactory(role=retired.role, published_at=None, effective_from=MONDAY)

    kept = patterns.change(template=template, wanted=wanted(template, room=retired.room), by=office, now=NOW)

    rows = ScheduleTemplate.objects.values_list("pk", "active")
    assert (kept.pk, set(rows)) == (retired.pk, {(retired.pk, True), (template.pk, False)})


def test_a_pattern_is_copied_to_other_half_days_all_or_none(hospital, office):
    template = TemplateFactory(minutes=10)
    busy = TemplateFactory(weekday=4, role=template.role)

    with pytest.raises(TemplateRefused, match="周四上午"):
        patterns.copy(template=template, places=[(2, "am"), (4, "am")], first_day=MONDAY, by=office, now=NOW)
    assert ScheduleTemplate.objects.count() == 2

    made = patterns.copy(template=template, places=[(2, "am"), (4, "pm")], first_day=MONDAY, by=office, now=NOW)

    assert [(one.weekday, one.half, one.minutes, one.published_at) for one in made] == [
        (2, "am", 10, None),
        (4, "pm", 10, None),
    ]
    assert busy.weekday == 4


@pytest.mark.parametrize("clash", ["doctor", "other role", "member", "room", "own hours"])
def test_a_collision_is_refused_and_names_the_other(hospital, office, clash):
    there = TemplateFactory(room=RoomFactory(name="心内1诊室"))
    role, room, own = RoleFactory(), RoomFactory(), {}
    if clash == "doctor":
        role = there.role
    if clash == "other role":
        role = RoleFactory(practitioner=there.role.practitioner)
    if clash == "room":
        room = there.room
    if clash == "own hours":
        room, own = there.room, {"starts": time(11), "ends": time(13)}
    team = TeamMemberFactory(role=there.role).team if clash == "member" else None
    actor = {"role": None, "team": team} if team else {"role": role}
    source = team or role
    fresh = ScheduleTemplate(
        organization=hospital, department=source.department, service=source.service, room=room, weekday=1, half="am",
        numbers=16, effective_from=MONDAY, **actor, **own,
    )  # fmt: skip

    with pytest.raises(TemplateRefused, match=r"周一.*心内1诊室，周一 08:00–12:00，2026-01-01 起"):
        patterns.create(template=fresh, by=office, now=NOW)


def test_a_room_of_another_campus_another_service_and_an_inactive_doctor_are_refused(hospital, office):
    there = TemplateFactory()
    far = RoomFactory(campus=CampusFactory(code="C2", name="东院区"))
    other = ServiceFactory(code="chief", name="主任医师号")
    codes = lambda **changes: {  # noqa: E731
        problem.code
        for problem in patterns.problems_of(wanted(there, weekday=3, effective_from=MONDAY, **changes), today=MONDAY)
    }

    assert codes() == set()
    assert codes(room=far) == {"other_campus", "no_hours"}
    assert codes(service=other) == {"other_service"}
    assert codes(half="ev") == {"no_hours"}
    there.role.practitioner.active = False
    assert codes() == {"inactive"}


def test_a_doctor_of_another_house_needs_a_contract_for_all_of_the_days(hospital, office):
    """P12."""
    branch = OrganizationFactory(code="B1", name="柳堤社区")
    guest = RoleFactory(practitioner=PractitionerFactory(organization=branch))
    fresh = lambda last: ScheduleTemplate(  # noqa: E731
        organization=hospital, department=guest.department, service=guest.service, role=guest, room=RoomFactory(),
        weekday=1, half="am", numbers=8, effective_from=MONDAY, effective_to=last,
    )  # fmt: skip
    codes = lambda last=None: {one.code for one in patterns.problems_of(fresh(last), today=MONDAY)}  # noqa: E731

    assert codes() == {"outside_contract"}
    Contract.objects.create(
        practitioner=guest.practitioner, organization=hospital, effective_from=MONDAY, effective_to=date(2027, 1, 31)
    )
    assert codes() == {"outside_contract"}
    assert codes(date(2027, 1, 31)) == set()


@pytest.mark.parametrize("same", ["role", "room"])
def test_the_database_refuses_the_same_half_day_twice_whoever_writes_it(hospital, same):
    there = TemplateFactory(parity="odd")

    TemplateFactory(**{same: getattr(there, same)}, parity="even")
    TemplateFactory(**{same: getattr(there, same)}, weekday=2)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError, match="once_a_half_day"), transaction.atomic():
        TemplateFactory(**{same: getattr(there, same)}, effective_from=date(2027, 1, 1))


def test_the_same_row_at_other_hours_is_refused_with_a_sentence_instead_of_a_broken_constraint(hospital, office):
    there = TemplateFactory(starts=time(8), ends=time(10), numbers=8, effective_from=MONDAY)

    with pytest.raises(TemplateRefused, match="已有一条模板"):
        patterns.create(template=wanted(there, starts=time(10), ends=time(12)), by=office, now=NOW)
    later = wanted(there, starts=time(10), ends=time(12), effective_from=MONDAY + timedelta(days=7))
    assert patterns.create(template=later, by=office, now=NOW).pk


def test_a_change_after_the_end_does_not_make_the_old_row_longer(hospital, office):
    template = TemplateFactory(effective_to=MONDAY)
    later = MONDAY + timedelta(days=28)

    patterns.change(
        template=template, wanted=wanted(template, effective_from=later, effective_to=None), by=office, now=NOW
    )

    template.refresh_from_db()
    assert template.effective_to == MONDAY


def test_rooms_can_be_swapped_in_one_go(hospital):
    first, second = TemplateFactory(), TemplateFactory()
    first.room, second.room = second.room, first.room
    with transaction.atomic():
        first.save()
        second.save()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_slices_of_the_templates_own_length_leave_the_rest_of_the_half_day_free(hospital):
    """B3: ten minutes each from eight o'clock on."""
    TemplateFactory(numbers=12, minutes=10)
    lay_out(hospital)

    schedule = Schedule.objects.get()
    slots = list(schedule.slots.order_by("number"))
    assert schedule.minutes == 10
    assert [slot.start - schedule.starts_at for slot in slots] == [timedelta(minutes=10 * n) for n in range(12)]
    assert {slot.minutes for slot in slots} == {10}


def test_slices_that_do_not_fit_are_reported_and_not_laid_out(hospital):
    TemplateFactory(numbers=16, minutes=16)

    (conflict,) = lay_out(hospital).conflicts
    assert conflict.code == "too_many_numbers"


def test_a_team_and_a_holiday_do_not_confuse_what_waits(hospital, office):
    team = TeamFactory()
    TemplateFactory(role=None, team=team, department=team.department, service=team.service)
    CalendarDay.objects.create(organization=hospital, day=MONDAY, kind="holiday", name="放假")

    result = lay_out(hospital, last=MONDAY + timedelta(days=7))

    assert (result.added, result.waiting) == (1, 0)
