"""P2: weekly templates become schedules and numbers."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError

from appointments.errors import DoctorElsewhere, OutsideContract, RoomHasClinic
from appointments.models import Allotment, Schedule, ScheduleParticipant, Slot, SupplyRule, SupplyShare
from appointments.services import laying, planning
from appointments.services.allocation import Allocation
from appointments.services.timetable import Timetable
from hospital import clock
from hospital.models import CalendarDay, Contract, Fact, HalfDayHours
from tests.factories import (
    NOW,
    TODAY,
    OrganizationFactory,
    RoleFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    TemplateFactory,
)

from .scenes import MONDAY, lay_out

pytestmark = pytest.mark.django_db


def test_a_template_yields_a_schedule_with_a_number_for_each_minute_of_its_own(hospital):
    template = TemplateFactory(weekday=1, half="am", numbers=16)

    result = lay_out(hospital)

    assert (result.added, result.numbers, result.conflicts) == (1, 16, [])
    schedule = Schedule.objects.get()
    assert (schedule.day, schedule.capacity, schedule.template) == (MONDAY, 16, template)
    assert (schedule.starts_at, schedule.ends_at) == (clock.at(MONDAY, time(8)), clock.at(MONDAY, time(12)))
    slots = list(schedule.slots.order_by("number"))
    assert [slot.number for slot in slots] == list(range(1, 17))
    assert [slot.start for slot in slots] == [clock.at(MONDAY, time(8)) + timedelta(minutes=15 * n) for n in range(16)]
    assert {slot.minutes for slot in slots} == {15}
    assert {slot.status for slot in slots} == {"free"}


def test_the_doctor_and_the_room_are_taken_for_the_half_day(hospital):
    template = TemplateFactory()
    lay_out(hospital)

    seat = ScheduleParticipant.objects.get()
    assert (seat.practitioner, seat.room) == (template.role.practitioner, template.room)
    assert (seat.during.lower, seat.during.upper) == (clock.at(MONDAY, time(8)), clock.at(MONDAY, time(12)))


def test_numbers_that_do_not_divide_the_half_day_still_fill_it(hospital):
    TemplateFactory(numbers=7)
    lay_out(hospital)

    slots = list(Slot.objects.order_by("number"))
    assert sum(slot.minutes for slot in slots) == 240
    assert [slot.minutes for slot in slots] == [34, 34, 34, 35, 34, 34, 35]
    assert all(a.start + timedelta(minutes=a.minutes) == b.start for a, b in zip(slots, slots[1:], strict=False))


def test_laying_out_again_changes_nothing_and_a_gap_is_caught_up(hospital):
    TemplateFactory()
    first = lay_out(hospital, last=MONDAY + timedelta(days=7))
    again = lay_out(hospital, last=MONDAY + timedelta(days=7))
    after_a_gap = lay_out(hospital, last=MONDAY + timedelta(days=28))

    assert (first.added, again.added, again.standing, after_a_gap.added) == (2, 0, 2, 3)
    assert Schedule.objects.count() == 5
    assert Slot.objects.count() == 5 * 16


def test_the_run_is_one_fact_with_its_counts_and_a_run_without_effect_is_none(hospital):
    TemplateFactory()
    lay_out(hospital)
    lay_out(hospital)

    fact = Fact.objects.get(topic="supply.laid_out")
    assert fact.payload == {"schedules": 1, "numbers": 16, "conflicts": 0}


def test_a_holiday_has_no_clinics_and_a_make_up_sunday_runs_the_weekday_it_follows(hospital):
    monday = TemplateFactory(weekday=1)
    TemplateFactory(weekday=7)
    sunday = MONDAY - timedelta(days=1)
    CalendarDay.objects.create(organization=hospital, day=MONDAY, kind="holiday", name="放假")
    CalendarDay.objects.create(organization=hospital, day=sunday, kind="workday", name="调休", follows=1)

    lay_out(hospital, first=sunday, last=MONDAY)

    schedule = Schedule.objects.get()
    assert (schedule.day, schedule.template) == (sunday, monday)


def test_odd_and_even_weeks_are_iso_weeks_of_the_date_also_across_the_year(hospital):
    odd, even = TemplateFactory(parity="odd"), TemplateFactory(parity="even")

    # Mondays: 2026-12-21 is week 52, 12-28 is week 53, 2027-01-04 is week 1: two odd weeks in a row
    lay_out(hospital, first=date(2026, 12, 21), last=date(2027, 1, 4))

    assert list(odd.schedules.order_by("day").values_list("day", flat=True)) == [date(2026, 12, 28), date(2027, 1, 4)]
    assert list(even.schedules.values_list("day", flat=True)) == [date(2026, 12, 21)]


def test_effective_dates_are_both_included(hospital):
    template = TemplateFactory(effective_from=MONDAY + timedelta(days=7), effective_to=MONDAY + timedelta(days=14))

    lay_out(hospital, last=MONDAY + timedelta(days=28))

    days = list(template.schedules.order_by("day").values_list("day", flat=True))
    assert days == [MONDAY + timedelta(days=7), MONDAY + timedelta(days=14)]


def test_the_hours_in_force_on_the_date_hold_and_month_end_is_a_day_like_any_other(hospital):
    """O8: summer hours from 1 May."""
    winter = HalfDayHours.objects.get(half="am")
    winter.effective_to = date(2027, 4, 30)
    winter.save()
    HalfDayHours.objects.create(
        campus=winter.campus, half="am", starts=time(7, 30), ends=time(11, 30), effective_from=date(2027, 5, 1)
    )
    TemplateFactory(weekday=5)
    TemplateFactory(weekday=6)

    lay_out(hospital, first=date(2027, 4, 30), last=date(2027, 5, 1))

    starts = [schedule.starts_at for schedule in Schedule.objects.order_by("day")]
    assert starts == [clock.at(date(2027, 4, 30), time(8)), clock.at(date(2027, 5, 1), time(7, 30))]


def test_own_hours_win_over_the_half_day(hospital):
    TemplateFactory(half="ev", starts=time(18), ends=time(20), numbers=12)
    lay_out(hospital)

    assert Schedule.objects.get().starts_at == clock.at(MONDAY, time(18))


def test_an_evening_without_hours_is_reported_and_the_rest_goes_on(hospital):
    TemplateFactory(half="ev")
    TemplateFactory()

    result = lay_out(hospital)

    assert result.added == 1
    assert [conflict.code for conflict in result.conflicts] == ["no_hours"]
    assert "本部院区" in str(result.conflicts[0])


def test_more_numbers_than_minutes_are_reported(hospital):
    TemplateFactory(starts=time(8), ends=time(9), numbers=61)

    assert [conflict.code for conflict in lay_out(hospital).conflicts] == ["too_many_numbers"]


@pytest.mark.parametrize("who", ["practitioner", "role", "department", "room", "service"])
def test_nothing_is_laid_out_for_someone_or_something_inactive(hospital, who):
    template = TemplateFactory()
    service = ServiceFactory(code="other")
    template.service = service
    template.save()
    inactive = {
        "practitioner": template.role.practitioner,
        "role": template.role,
        "department": template.department,
        "room": template.room,
        "service": service,
    }[who]
    inactive.active = False
    inactive.save()

    result = lay_out(hospital)

    assert (result.added, result.skipped) == (0, 1)


def test_a_plain_clinic_takes_its_room_alone(hospital):
    role = RoleFactory()
    TemplateFactory(role=None, department=role.department, service=role.service)
    lay_out(hospital)

    assert [seat.practitioner for seat in ScheduleParticipant.objects.all()] == [None]
    assert Schedule.objects.get().role is None


def test_a_team_takes_its_members_time_but_not_the_leaders(hospital):
    """B11: a member sees the patient first."""
    team = TeamFactory()
    TeamMemberFactory(team=team, leader=True)
    member = TeamMemberFactory(team=team)
    TeamMemberFactory(team=team, active=False)
    TemplateFactory(role=None, team=team, department=team.department, service=team.service)
    lay_out(hospital)

    seats = ScheduleParticipant.objects.order_by("id")
    assert [seat.practitioner for seat in seats] == [None, member.role.practitioner]
    assert Schedule.objects.get().team == team


def test_a_leading_experts_numbers_open_only_by_the_teams_referral_whatever_role_he_sits_in(hospital):
    """B11: all in the team pool, open with the consult room's horizon, never shared."""
    leader = TeamMemberFactory(leader=True)
    other = RoleFactory(practitioner=leader.role.practitioner)
    TemplateFactory(role=leader.role, half="am")
    TemplateFactory(role=other, half="pm")
    lay_out(hospital)

    assert set(Schedule.objects.values_list("gate_team", flat=True)) == {leader.team_id}
    assert set(Slot.objects.values_list("pool__kind", flat=True)) == {"team"}
    opens = clock.at(MONDAY - timedelta(days=92), time(0))
    assert set(Allotment.objects.values_list("pool__kind", "opens_at", "shared_from")) == {("team", opens, None)}


def test_the_leader_of_a_dissolved_team_has_ordinary_numbers(hospital):
    leader = TeamMemberFactory(leader=True, team=TeamFactory(active=False))
    TemplateFactory(role=leader.role)
    lay_out(hospital)

    assert Schedule.objects.get().gate_team is None


def test_the_default_rule_shares_and_opens_to_the_second_in_the_hospitals_zone(hospital):
    """P1, P3, P4, P6, P7. 07:00 at the hospital is 23:00 UTC of the day before."""
    TemplateFactory(numbers=100)
    lay_out(hospital)

    counts = {
        kind: Slot.objects.filter(pool__kind=kind).count() for kind in ("counter", "partner", "consult", "public")
    }
    assert counts == {"counter": 10, "partner": 36, "consult": 40, "public": 14}
    opens = {row.pool.kind: (row.opens_at, row.shared_from) for row in Allotment.objects.select_related("pool")}
    assert opens == {
        "counter": (datetime(2026, 11, 29, 16, tzinfo=UTC), datetime(2026, 11, 30, 0, tzinfo=UTC)),
        "partner": (datetime(2026, 11, 19, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, tzinfo=UTC)),
        "consult": (datetime(2026, 8, 29, 16, tzinfo=UTC), datetime(2026, 11, 28, 14, tzinfo=UTC)),
        "public": (datetime(2026, 11, 22, 23, tzinfo=UTC), None),
    }


def test_the_on_site_floor_lies_in_the_last_third(hospital):
    """P7."""
    TemplateFactory(numbers=30)
    lay_out(hospital)

    assert min(Slot.objects.filter(pool__kind="counter").values_list("number", flat=True)) > 20


def test_the_more_specific_and_dated_rule_wins(hospital):
    template = TemplateFactory(numbers=10)
    special = SupplyRule.objects.create(
        organization=hospital, department=template.department, effective_from=MONDAY + timedelta(days=7)
    )
    SupplyShare.objects.create(rule=special, kind="public", percent=100, opens_days=14, opens_time=time(6, 30))

    lay_out(hospital, last=MONDAY + timedelta(days=7))

    before, after = Schedule.objects.order_by("day")
    assert set(before.slots.values_list("pool__kind", flat=True)) == {"counter", "partner", "consult", "public"}
    assert set(after.slots.values_list("pool__kind", flat=True)) == {"public"}
    assert after.allotments.get().opens_at == clock.at(after.day - timedelta(days=14), time(6, 30))


def test_a_schedule_without_public_share_still_says_when_its_rest_becomes_public(hospital):
    TemplateFactory(numbers=1)
    lay_out(hospital)

    assert list(Slot.objects.values_list("pool__kind", flat=True)) == ["consult"]
    assert set(Allotment.objects.values_list("pool__kind", flat=True)) == {"consult", "public"}


def test_a_doctor_in_two_places_is_refused_by_name_and_skips_only_that_schedule(hospital):
    role = RoleFactory()
    for each in (role, RoleFactory(practitioner=role.practitioner)):  # of one role the templates themselves are refused
        TemplateFactory(role=each)
    others = [TemplateFactory() for _n in range(5)]

    result = lay_out(hospital)

    assert result.added == 1 + len(others)
    (conflict,) = result.conflicts
    assert conflict.code == "doctor_elsewhere"
    assert role.practitioner.name in conflict.reason
    assert Slot.objects.count() == 16 * result.added


def test_a_room_taken_twice_is_refused_by_name(hospital):
    room = RoomFactory(name="心内1诊室")
    first, _second = TemplateFactory(room=room), TemplateFactory(room=room, starts=time(9), ends=time(11))

    result = lay_out(hospital)

    assert Schedule.objects.get().template == first
    (conflict,) = result.conflicts
    assert conflict.code == "room_taken"
    assert "心内1诊室" in conflict.reason
    assert str(first.department) in conflict.reason


def test_planning_at_one_in_the_morning_counts_in_the_hospitals_days():
    """00:30 at the hospital is still the day before in UTC."""
    night = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)

    assert clock.today(night) == MONDAY


def test_a_rule_without_shares_leaves_the_defaults_in_force(hospital):
    template = TemplateFactory(numbers=10)
    SupplyRule.objects.create(organization=hospital, department=template.department, effective_from=TODAY)
    lay_out(hospital)

    assert set(Slot.objects.values_list("pool__kind", flat=True)) == {"counter", "partner", "consult", "public"}


def test_a_leading_experts_numbers_open_ninety_two_days_ahead_when_the_rule_has_no_consult_share(hospital):
    leader = TeamMemberFactory(leader=True)
    rule = SupplyRule.objects.create(organization=hospital, role=leader.role, effective_from=TODAY)
    SupplyShare.objects.create(rule=rule, kind="public", percent=100, opens_days=7, opens_time=time(7))
    TemplateFactory(role=leader.role)
    lay_out(hospital)

    assert Allotment.objects.get().opens_at == clock.at(MONDAY - timedelta(days=92), time(0))


def test_a_half_day_outside_the_templates_has_its_numbers_too(hospital):
    """临时出诊."""
    role, room = RoleFactory(), RoomFactory()
    schedule = Schedule(
        organization=hospital,
        campus=room.campus,
        department=role.department,
        service=role.service,
        role=role,
        room=room,
        day=MONDAY,
        half="am",
        starts_at=clock.at(MONDAY, time(8)),
        ends_at=clock.at(MONDAY, time(12)),
        capacity=8,
    )
    laid = planning.lay_single(schedule=schedule, sitters=(role.practitioner_id,), now=NOW)

    assert laid.slots.count() == 8
    assert lay_out(hospital).left_alone == []


@pytest.mark.parametrize(
    ("change", "refusal", "named"),
    [
        ("room", DoctorElsewhere, "doctor"),
        ("role", RoomHasClinic, "room"),
        ("guest", OutsideContract, "guest"),
    ],
)
def test_a_half_day_outside_the_templates_that_can_not_be_is_refused_by_name(hospital, change, refusal, named):
    """P12, 临时出诊."""
    taken, other = ScheduleFactory(capacity=8), RoleFactory()
    guest = RoleFactory(practitioner__organization=OrganizationFactory(code="B1", name="柳堤社区"))
    names = {"doctor": str(taken.role.practitioner), "room": str(taken.room), "guest": str(guest.practitioner)}
    row = Schedule.objects.get(pk=taken.pk)
    row.pk, row.room = None, taken.room if change == "role" else RoomFactory()
    row.role = {"room": taken.role, "role": other, "guest": guest}[change]

    with pytest.raises(refusal) as caught:
        planning.lay_single(schedule=row, sitters=(row.role.practitioner_id,), now=NOW)

    assert names[named] in caught.value.sentence
    assert Schedule.objects.get() == taken


def test_a_contract_taken_back_since_the_timetable_was_read_is_refused_by_name(hospital):
    """P12: the trigger's word."""
    template = TemplateFactory(role__practitioner__organization=OrganizationFactory(code="B1", name="柳堤社区"))
    house = {"practitioner": template.role.practitioner, "organization": hospital}
    contract = Contract.objects.create(**house, effective_from=date(2020, 1, 1))
    plan = Timetable(organization=hospital, first_day=MONDAY, last_day=MONDAY).plan()
    contract.delete()

    written, [conflict], _there = laying.lay(
        plan.planned, organization=hospital, allocation=Allocation(hospital), now=NOW
    )

    assert (written, conflict.code) == ([], "outside_contract")
    assert conflict.names == (template.role.practitioner.name, hospital.name)


def test_what_is_broken_otherwise_than_by_a_conflict_is_not_hidden(hospital, monkeypatch):
    TemplateFactory(numbers=4)
    monkeypatch.setattr(laying, "NUMBERS", laying.NUMBERS.replace("'free'", "'held'"))

    with pytest.raises(IntegrityError, match="slot_hold_has_a_clock"):
        lay_out(hospital)
    assert Schedule.objects.count() == 0
