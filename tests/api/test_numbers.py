"""The hot looks: what is left of a department and of a schedule, held equal to what a booking would find."""

from datetime import time, timedelta

import pytest

from appointments.models import ConsultLevelRule
from appointments.selectors import numbers, rules
from hospital import clock
from hospital.models import PriceItem
from tests.api.conftest import Program, issue
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    DepartmentFactory,
    OrganizationFactory,
    PatientFactory,
    RoleFactory,
    ServiceFactory,
    TeamMemberFactory,
    add_numbers,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
DAY = TODAY + timedelta(days=28)


def available(program, department, **query):
    answer = program.get(f"/departments/{department.pk}/availability/", {"from": DAY, "to": DAY, **query})
    assert answer.status_code == 200, answer.content
    return {row["schedule"]: row for row in answer.json()["schedules"]}


def test_what_is_left_of_a_department(program):
    schedule = open_schedule(numbers=3)
    appointment_row(schedule, PatientFactory())

    answer = program.get(f"/departments/{schedule.department_id}/availability/", {"from": "2026-12-21"})

    assert answer.json() == {
        "department": schedule.department_id,
        "from": "2026-12-21",
        "to": "2026-12-27",
        "schedules": [
            {
                "schedule": schedule.pk,
                "day": "2026-12-21",
                "half": "am",
                "starts_at": "2026-12-21T08:00:00+08:00",
                "ends_at": "2026-12-21T12:00:00+08:00",
                "doctor": {"id": schedule.role_id, "name": schedule.role.practitioner.name, "title": "主治医师"},
                "team": None,
                "service": "普通号",
                "level": "general",
                "fee": "20.00",
                "state": "few",
                "left": 2,
                "of": 3,
                "opens_at": None,
            }
        ],
    }


def test_the_slices_of_a_schedule_and_a_booking_by_one_of_them(program, patient):
    """B3: 30 minutes at most; a full slice is shown as such."""
    schedule = open_schedule(numbers=8, minutes=15)
    appointment_row(schedule, PatientFactory(), number=1)
    appointment_row(schedule, PatientFactory(), number=2)

    answer = program.get(f"/schedules/{schedule.pk}/slices/").json()

    assert answer["offer"]["left"] == 6
    assert answer["slices"][:2] == [
        {
            "start": "2026-12-21T08:00:00+08:00",
            "end": "2026-12-21T08:30:00+08:00",
            "left": 0,
            "of": 2,
            "numbers": [],
        },
        {
            "start": "2026-12-21T08:30:00+08:00",
            "end": "2026-12-21T09:00:00+08:00",
            "left": 2,
            "of": 2,
            "numbers": [3, 4],
        },
    ]
    booked = program.post(
        f"/schedules/{schedule.pk}/appointments/", {"patient": patient.pk, "start": answer["slices"][1]["start"]}
    )
    assert booked.json()["number"] == 3


def scenes():
    """Schedules of one department, each in another condition."""
    department = DepartmentFactory()
    common = {"department": department, "numbers": 4}

    def doctor(**service):
        return RoleFactory(department=department, **({"service": ServiceFactory(**service)} if service else {}))

    made = {
        "free": open_schedule(role=doctor(), **common),
        "stopped": open_schedule(role=doctor(), status="stopped", **common),
        "tomorrow": open_schedule(role=doctor(), opened=NOW + timedelta(days=1), **common),
        "consult only": open_schedule(role=doctor(), pool="consult", **common),
        "consult, shared": open_schedule(role=doctor(), pool="consult", shared=NOW, **common),
        "counter": open_schedule(role=doctor(), pool="counter", **common),
        "unpriced": open_schedule(role=doctor(code="x", price_code="none"), **common),
        "inactive": open_schedule(role=doctor(), **common),
        "led": open_schedule(role=doctor(), **common),
        "mixed": open_schedule(role=doctor(), **common),
        "chief": open_schedule(role=doctor(code="chief", level="chief"), **common),
        "full": open_schedule(role=doctor(), department=department, numbers=1),
    }
    made["inactive"].role.practitioner.active = False
    made["inactive"].role.practitioner.save()
    TeamMemberFactory(role=made["led"].role, leader=True)
    add_numbers(made["mixed"], count=3, pool="counter", shared=NOW + timedelta(hours=2))
    slots = list(made["mixed"].slots.order_by("number"))
    for slot, (status, until) in zip(
        slots, [("held", -1), ("held", 1), ("resting", 0), ("blocked", None)], strict=False
    ):
        slot.status, slot.hold_until = status, None if until is None else NOW + timedelta(minutes=until)
        slot.save()
    appointment_row(made["full"], PatientFactory())
    ConsultLevelRule.objects.create(
        organization=OrganizationFactory(), effective_from=TODAY - timedelta(days=9), levels=["general"]
    )
    return department, made


@pytest.mark.parametrize("channel", ["app", "web", "consult", "counter", "partner"])
def test_what_is_left_is_what_a_booking_would_find(stopped_clock, channel):
    """B7, P1: number by number until the refusal, for each channel; and the pages' own count where it speaks of it."""
    department, made = scenes()
    program = Program(
        issue(AccountFactory(), "read", "book_anyone", channel=channel, organization=OrganizationFactory())
    )
    shown = available(program, department)
    pools = rules.pools_for(channel, organization_id=department.organization_id, day=TODAY)
    counted = numbers.count_left(shown, pools=pools, now=NOW)

    def take(schedule):
        """Until the refusal."""
        taken = 0
        while True:
            body = {"patient": PatientFactory().pk}
            answer = program.post(f"/schedules/{schedule.pk}/appointments/", body, key=f"{schedule.pk}-{taken}")
            if answer.status_code != 201:
                return taken
            taken += 1

    assert {name: shown[each.pk]["left"] for name, each in made.items()} == {
        name: take(each) for name, each in made.items()
    }
    for name in ("free", "tomorrow", "consult only", "consult, shared", "counter", "mixed", "full"):
        assert shown[made[name].pk]["left"] == counted.get(made[name].pk, 0), name


def test_the_state_says_why_nothing_is_left(program):
    department, made = scenes()

    shown = available(program, department)

    assert {name: shown[each.pk]["state"] for name, each in made.items()} == {
        "free": "open",
        "stopped": "stopped",
        "tomorrow": "unreleased",
        "consult only": "offline",
        "consult, shared": "open",
        "counter": "offline",
        "unpriced": "offline",
        "inactive": "offline",
        "led": "gated",
        "mixed": "few",
        "chief": "open",
        "full": "full",
    }
    assert shown[made["tomorrow"].pk]["opens_at"] == "2026-11-24T10:00:00+08:00"
    assert shown[made["mixed"].pk]["opens_at"] == "2026-11-23T12:00:00+08:00"


def test_the_counter_still_sees_a_number_whose_minute_has_passed(stopped_clock):
    """rules.md: while the schedule runs."""
    schedule = open_schedule(numbers=4, day=TODAY)
    counter = Program(issue(AccountFactory(), "read", channel="counter"))
    app = Program(issue(AccountFactory(), "read"))

    left = {
        each: program.get(f"/schedules/{schedule.pk}/slices/").json()["offer"]["left"]
        for each, program in (("counter", counter), ("app", app))
    }

    assert left == {"counter": 4, "app": 1}


@pytest.mark.parametrize("path", ["/schedules/{}/slices/", "/departments/{}/availability/"])
def test_what_is_unknown_is_not_found(program, path):
    for pk in (0, 9**9, 2**63, 2**70):
        answer = program.get(path.format(pk))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-13-01"}, "from"),
        ({"from": "21.12.2026"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "9999-12-31"}, "from"),
        ({"from": "2026-12-21", "to": "2026-12-20"}, "to"),
        ({"from": "2026-12-21", "to": "2027-12-21"}, "to"),
        ({"channel": "counter"}, "channel"),
        ({"from": "\x00"}, "from"),
    ],
)
def test_days_that_make_no_sense_are_refused_by_name(program, query, field):
    answer = program.get(f"/departments/{DepartmentFactory().pk}/availability/", query)

    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (422, "invalid", [field])


def test_looks_cost_three_queries_however_many_schedules(program, django_assert_num_queries):
    department = DepartmentFactory()
    for n in range(4):
        schedule = open_schedule(department=department, role=RoleFactory(department=department))
        if n:
            with django_assert_num_queries(3):  # the token, whose rules hold, everything else
                assert len(available(program, department)) == n + 1
            program.get(f"/schedules/{schedule.pk}/slices/")  # its lasting facts are known from now on
            with django_assert_num_queries(3):  # the token, the schedule, its numbers
                program.get(f"/schedules/{schedule.pk}/slices/")
        else:
            available(program, department)


def test_the_price_is_that_of_the_schedules_day(program):
    schedule = open_schedule(numbers=1)
    PriceItem.objects.update(effective_to=clock.today(NOW))
    PriceItem.objects.create(
        organization=schedule.organization, code="G", name="普通", amount="25.50", effective_from=DAY
    )

    assert program.get(f"/schedules/{schedule.pk}/slices/").json()["offer"]["fee"] == "25.50"
    assert program.get(f"/schedules/{schedule.pk}/").json()["fee"] == "25.50"


def test_a_session_over_both_halves_of_the_day_is_called_so(program):
    schedule = open_schedule(numbers=2, starts_at=clock.at(DAY, time(11)), ends_at=clock.at(DAY, time(16)))

    assert available(program, schedule.department)[schedule.pk]["half"] == "all"
    assert program.get(f"/schedules/{schedule.pk}/").json()["half"] == "all"
