"""B7: eight channels, one service, one set of policies."""

from datetime import date, timedelta

import pytest

from appointments.errors import (
    AlreadyBooked,
    LimitReached,
    NotOpen,
    PatientSuspended,
    SoldOut,
    SpecialOnly,
    TooLateToCancel,
)
from appointments.models import Appointment, BookingRule, ChannelRule, PartnerGroup, PatientSuspension, Pool
from appointments.models.rules import Channel
from appointments.policies import special
from appointments.selectors import rules
from appointments.services import booking, changes
from appointments.services.defaults import CHANNELS
from tests.booking.acts import take
from tests.channels.conftest import WEDNESDAY, branch, partner_of
from tests.factories import NOW, PatientFactory, PoolFactory, UserFactory, add_numbers, open_schedule

pytestmark = pytest.mark.django_db

ALL = list(Channel.values)
SELF_SERVICE = {"web", "app", "phone", "kiosk"}
KINDS = ("public", "consult", "partner", "counter", "special", "extra", "team", "rebook")


def test_there_are_eight_and_the_defaults_know_each():
    assert set(CHANNELS) == set(ALL)
    assert len(ALL) == 8


@pytest.mark.parametrize("channel", ALL)
def test_every_channel_takes_from_the_pools_that_its_rule_names_and_from_no_other(channel, wang):
    """P1, P7: of eight sittings with one pool each, exactly those of the rule are given; a patient of 67 may have
    special numbers by phone, kiosk and at the counter."""
    sittings = {
        kind: open_schedule(role=wang, day=WEDNESDAY + timedelta(days=day * 7), numbers=1, pool=kind)
        for day, kind in enumerate(KINDS)
    }
    given = set()
    for kind, schedule in sittings.items():
        try:
            assert take(schedule, channel=channel).channel == channel
        except NotOpen:
            continue
        given.add(kind)

    assert given == {str(kind) for kind in CHANNELS[channel]}


MINUTES = {"consult": 3, "ward": 3, "counter": 5}


@pytest.mark.parametrize("channel", ALL)
def test_every_channel_holds_by_the_rule_is_one_when_repeated_and_says_the_same_when_all_is_sold(channel, wang):
    schedule, by = open_schedule(role=wang, day=WEDNESDAY, numbers=1), UserFactory()
    somebody = PatientFactory()
    first, second = (take(schedule, somebody, channel=channel, by=by, key="k-1") for _each in range(2))

    assert first == second
    assert first.slot.hold_until == NOW + timedelta(minutes=MINUTES.get(channel, 15))
    with pytest.raises(SoldOut):
        take(schedule, channel=channel)


@pytest.mark.parametrize("channel", ALL)
def test_limits_and_suspensions_hold_for_self_service_and_for_nobody_else(channel, clinic, patient):
    """B15, B16: so many visits a week, one department and day once, no booking after too many no-shows."""
    BookingRule.objects.update(limit_day=1, limit_week=1)
    rules.forget()
    take(open_schedule(day=WEDNESDAY, numbers=10), patient, channel="web", number=1)
    suspension = {"starts_at": NOW - timedelta(days=1), "ends_at": NOW + timedelta(days=89), "reason": "爽约3次"}
    if channel not in SELF_SERVICE:
        PatientSuspension.objects.create(patient=patient, **suspension)
        for number in (8, 9):
            row = take(clinic, patient, channel=channel, number=number)
            assert (row.self_service, row.counts) == (False, False)
        return
    with pytest.raises(LimitReached):
        take(clinic, patient, channel=channel, number=9)
    take(clinic, patient, channel="consult", number=8)
    with pytest.raises(AlreadyBooked):
        take(clinic, patient, channel=channel, number=9)
    PatientSuspension.objects.create(patient=patient, **suspension)
    with pytest.raises(PatientSuspended):
        take(clinic, patient, channel=channel, number=9)


@pytest.mark.parametrize("channel", ALL)
def test_after_the_cut_off_only_staff_in_person_give_back(channel, clinic, patient):
    """B14: until 15:00 the day before."""
    row = take(clinic, patient, channel="counter", confirmed=True)
    late = NOW + timedelta(days=1, hours=6)
    if channel in {"counter", "consult", "ward"}:
        assert not changes.cancel(appointment=row, by=None, channel=channel, now=late).live
    else:
        with pytest.raises(TooLateToCancel):
            changes.cancel(appointment=row, by=None, channel=channel, now=late)


# ---- the lower institutions ----


def kept_for(house, institution=None, group=None):
    return Pool.objects.create(organization=house, kind="partner", partner=institution, group=group, name="保留")


def test_a_lower_institution_takes_its_own_its_groups_and_the_common_numbers(wang):
    """P5: per partner or per group; another institution gets none of them."""
    ours, theirs = branch("SQ1", "柳堤社区"), branch("SQ2", "石埠社区")
    house = wang.practitioner.organization
    group = PartnerGroup.objects.create(organization=house, name="心电组")
    group.members.add(ours)
    own = open_schedule(role=wang, day=WEDNESDAY, numbers=1, pool=kept_for(house, ours))
    grouped = open_schedule(role=wang, day=WEDNESDAY + timedelta(days=7), numbers=1, pool=kept_for(house, group=group))

    for schedule in (own, grouped):
        for other in (theirs.pk, None):
            with pytest.raises(NotOpen):
                take(schedule, channel="partner", partner=other)
        row = take(schedule, channel="partner", partner=ours.pk)
        row.refresh_from_db()
        assert row.partner == ours


def test_the_institution_stays_on_the_booking_whatever_becomes_of_the_account(clinic, patient):
    ours = branch("SQ1", "柳堤社区")
    user = partner_of(ours)
    row = take(clinic, patient, channel="partner", partner=ours.pk, by=user, confirmed=True)
    later = open_schedule(role=clinic.role, day=WEDNESDAY + timedelta(days=7), numbers=2)
    user.role_assignments.all().delete()

    moved = booking.reschedule(appointment=row, schedule=later, by=None, channel="counter", request_key=None, now=NOW)

    assert (moved.partner_id, moved.by) == (ours.pk, user)


def test_a_refused_partner_leaves_nothing(clinic, patient):
    for _each in range(10):
        take(clinic, channel="counter")
    with pytest.raises(SoldOut):
        take(clinic, patient, channel="partner", partner=branch("SQ1", "柳堤社区").pk)
    assert not Appointment.objects.filter(patient=patient).exists()


# ---- the special-group pool ----


@pytest.mark.parametrize(
    ("born", "group", "expected"),
    [
        (date(1966, 11, 23), "", True),  # 60 today
        (date(1966, 11, 24), "", False),  # tomorrow
        (date(1990, 1, 1), "disabled", True),
        (date(1990, 1, 1), "soldier", True),
        (date(1990, 1, 1), "", False),
        (None, "", False),
        (None, "other", True),
    ],
)
def test_who_is_of_the_special_group(born, group, expected):
    """P7."""
    assert special.is_special(birth_date=born, special=group, today=date(2026, 11, 23)) is expected


@pytest.mark.parametrize("channel", ["phone", "kiosk"])
def test_a_young_caller_hears_that_what_is_left_is_kept_for_others(channel, wang, young, patient):
    """P7: a sentence, not "sold out"; at the counter the same numbers are given."""
    schedule = open_schedule(role=wang, day=WEDNESDAY, numbers=2, pool="special")
    add_numbers(schedule, count=1, pool="public")
    take(schedule, channel="web")

    with pytest.raises(SpecialOnly, match="优待对象"):
        take(schedule, young, channel=channel)
    assert take(schedule, patient, channel=channel).slot.pool.kind == "special"
    assert take(schedule, young, channel="counter").slot.pool.kind == "special"
    with pytest.raises(SoldOut):
        take(schedule, young, channel=channel)


def test_special_numbers_that_are_shared_are_everybodys(wang, young):
    PoolFactory(kind="public")
    schedule = open_schedule(role=wang, day=WEDNESDAY, numbers=2, pool="special", shared=NOW - timedelta(minutes=1))
    assert take(schedule, young, channel="web").slot.pool.kind == "special"


def test_an_office_may_keep_the_special_pool_from_the_phone(wang, patient):
    """P1: the channel's rule decides first."""
    ChannelRule.objects.filter(channel="phone").update(kinds=["public"])
    rules.forget()
    schedule = open_schedule(role=wang, day=WEDNESDAY, numbers=2, pool="special")
    PoolFactory(kind="public")
    with pytest.raises(NotOpen):
        take(schedule, patient, channel="phone")
