"""A department as the public finds it. NOW is Monday 10:00; what is laid out lies in the days that the web sees."""

from datetime import date, time, timedelta
from decimal import Decimal

from appointments.models import SupplyRule, SupplyShare
from hospital import clock
from hospital.models import PriceItem
from tests.factories import (
    NOW,
    TODAY,
    OrganizationFactory,
    PractitionerFactory,
    RoleFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    open_schedule,
)

TOMORROW = TODAY + timedelta(days=1)
START = date(2020, 1, 1)


def half_day(*, day=TOMORROW, half="am", **more):
    """A morning 08:00–12:00 or an afternoon 13:30–17:30."""
    starts = clock.at(day, time(8) if half == "am" else time(13, 30))
    return open_schedule(day=day, half=half, starts_at=starts, ends_at=starts + timedelta(hours=4), **more)


def take(schedule, *numbers, status="booked", until=None):
    schedule.slots.filter(number__in=numbers).update(status=status, hold_until=until)


def take_all_but(schedule, left: int):
    take(schedule, *range(left + 1, schedule.slots.count() + 1))


def doctor(department=None, *, name="王建国", title="主任医师", level="chief", fee=50, **fields):
    """A doctor with an own service and its price."""
    house = OrganizationFactory()
    code = f"S{level}"
    PriceItem.objects.get_or_create(
        organization=house,
        code=code,
        effective_from=START,
        defaults={"name": level, "amount": Decimal(fee)},
    )
    service = ServiceFactory(code=code, name=f"{title}门诊", level=level, price_code=code)
    place = {"department": department} if department else {}
    return RoleFactory(practitioner=PractitionerFactory(name=name, title=title, **fields), service=service, **place)


def team_with_leader(department, *, name="冠心病专家团队", leader="史清荷"):
    """A team, the role of its leading expert, and a member."""
    team = TeamFactory(name=name, department=department)
    led = doctor(department, name=leader)
    TeamMemberFactory(team=team, role=led, leader=True)
    TeamMemberFactory(team=team, role=doctor(department, name="李敏", title="副主任医师", level="associate", fee=30))
    return team, led


def supply_rule(*, days=7, at=time(7), **scope):
    """Public numbers open D−days at a wall time."""
    rule = SupplyRule.objects.create(organization=OrganizationFactory(), effective_from=START, **scope)
    SupplyShare.objects.create(rule=rule, kind="public", percent=100, opens_days=days, opens_time=at)
    return rule


__all__ = ["NOW", "TODAY", "TOMORROW"]
