"""B9, B14: a returned number goes to whoever is next in line, before it rests and before anybody else can take it."""

from datetime import date, time, timedelta

import pytest

from appointments.errors import HoldLapsed, OfferOver, SoldOut, WaitOver
from appointments.models import (
    Appointment,
    BookingRule,
    PatientSuspension,
    Slot,
    WaitlistEntry,
    WaitlistOffer,
)
from appointments.selectors import numbers, rules
from appointments.selectors import waitlist as selectors
from appointments.services import booking, changes, waitlist
from hospital import clock
from hospital.models import Fact, GatewayReceipt, PatientTime
from tests.booking.acts import take
from tests.factories import NOW, PatientFactory, UserFactory, add_numbers, appointment_row, open_schedule

from .scenes import DAY, EVE, full, give_back, join, states, told, work

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + 2 * HOUR  # when an offer of NOW is over


def offer_of(entry) -> WaitlistOffer:
    return WaitlistOffer.objects.select_related("appointment__slot").get(entry=entry)


def test_a_returned_number_is_held_for_the_first_in_line_until_the_deadline_and_told_once():
    by = UserFactory()
    schedule = full()
    first, second = join(schedule, by=by), join(schedule)
    slot = give_back(schedule)
    work()
    work(NOW + timedelta(minutes=1))

    offer, row = offer_of(first), offer_of(first).appointment
    assert states(first, second) == ["offered", "waiting"]
    assert (offer.made_at, offer.deadline, offer.state) == (NOW, LATER, "open")
    assert (row.status, row.slot, row.patient, row.channel, row.by) == ("pending", slot, first.patient, "web", by)
    assert (row.slot.status, row.slot.hold_until, row.self_service) == ("held", LATER, True)
    assert [told(each.patient) for each in (first, second)] == [["waitlist.offered"], []]
    text = GatewayReceipt.objects.get(request_id=f"waitlist:{first.pk}:offered:sms").text
    assert "11月23日 星期一 12:00" in text
    assert f"/waiting/{first.pk}/" in text


def test_accepting_confirms_the_number_and_twice_is_once():
    schedule = full()
    entry, by = join(schedule), UserFactory()
    give_back(schedule)
    work()
    row = waitlist.accept(entry_id=entry.pk, by=by, now=LATER - timedelta(seconds=1))
    again = waitlist.accept(entry_id=entry.pk, by=by, now=LATER + HOUR)
    work(LATER)

    assert (row.status, again, states(entry)) == ("booked", row, ["filled"])
    assert (offer_of(entry).state, told(entry.patient)) == ("accepted", ["waitlist.offered"])
    assert [fact.topic for fact in Fact.objects.filter(key=f"waitlist:{entry.pk}").order_by("pk")] == [
        "waitlist.joined",
        "waitlist.offered",
        "waitlist.filled",
    ]


def test_at_the_very_deadline_it_is_too_late_and_the_next_in_line_is_offered_the_same_number():
    schedule = full()
    first, second = join(schedule), join(schedule)
    slot = give_back(schedule)
    work()

    with pytest.raises(OfferOver):
        waitlist.accept(entry_id=first.pk, by=None, now=LATER)
    work(LATER)
    assert states(first, second) == ["ended:lapsed", "offered"]
    assert (offer_of(second).appointment.slot, offer_of(second).deadline) == (slot, LATER + 2 * HOUR)
    assert (told(first.patient), told(second.patient)) == (["waitlist.offered", "waitlist.ended"], ["waitlist.offered"])
    with pytest.raises(OfferOver):
        waitlist.accept(entry_id=first.pk, by=None, now=LATER)
    with pytest.raises(HoldLapsed):  # nor on the page of the booking
        changes.confirm(appointment=offer_of(first).appointment, by=None, now=LATER)


@pytest.mark.parametrize("how", ["decline", "leave", "drop", "cancel"])
def test_who_does_not_want_the_number_lets_the_next_have_it_and_never_gets_it_back(how):
    schedule = full()
    first, second = join(schedule), join(schedule)
    slot = give_back(schedule)
    work()
    row = offer_of(first).appointment
    acts = {
        "decline": lambda: waitlist.decline(entry_id=first.pk, by=None, now=NOW),
        "leave": lambda: waitlist.leave(entry_id=first.pk, by=None, now=NOW),
        "drop": lambda: changes.drop(appointment=row, by=None, now=NOW),
        "cancel": lambda: changes.cancel(appointment=row, by=None, channel="web", now=NOW),
    }
    acts[how]()
    assert Slot.objects.get(pk=slot.pk).status == "resting"  # kept for the line, whoever looks meanwhile
    work()

    assert states(first, second) == ["withdrawn" if how == "leave" else "ended:declined", "offered"]
    assert (offer_of(first).state, offer_of(second).appointment.slot) == ("declined", slot)
    assert "waitlist.ended" not in told(first.patient)
    with pytest.raises(WaitOver):
        waitlist.accept(entry_id=first.pk, by=None, now=NOW)


def test_confirmed_on_the_page_of_bookings_it_is_filled_as_well():
    schedule = full()
    entry = join(schedule)
    give_back(schedule)
    work()
    changes.confirm(appointment=offer_of(entry).appointment, by=None, now=NOW)

    with pytest.raises(WaitOver):  # on the page of waits, open still
        waitlist.leave(entry_id=entry.pk, by=None, now=NOW)
    work()
    assert (states(entry), offer_of(entry).state) == (["filled"], "accepted")


def test_two_numbers_for_three_who_wait_go_to_the_first_two():
    schedule = full(3)
    line = [join(schedule, now=NOW + timedelta(minutes=n)) for n in range(3)]
    give_back(schedule, 2)
    give_back(schedule, 1)
    work(NOW + HOUR)

    assert states(*line) == ["offered", "offered", "waiting"]
    assert [offer_of(each).appointment.slot.number for each in line[:2]] == [1, 2]


def test_who_has_to_be_served_first_is_though_they_came_later():
    schedule = full()
    plain, old = join(schedule), join(schedule, PatientFactory(birth_date=date(1950, 1, 1)), now=NOW + HOUR)
    give_back(schedule, now=NOW + HOUR)
    work(NOW + HOUR)

    assert states(plain, old) == ["waiting", "offered"]


def test_nobody_else_can_take_a_number_while_somebody_waits_even_shortly_before_the_clinic():
    """rules.md: the waitlist comes first, and a number rests only if nobody waits. Within a day it would not rest."""
    now = clock.at(DAY - timedelta(days=1), time(10))
    schedule, alone = full(), full()
    entry = join(schedule)

    assert give_back(alone, now=now).status == "free"
    slot = give_back(schedule, now=now)
    assert (slot.status, slot.hold_until) == ("resting", now + timedelta(minutes=10))  # should no worker come
    with pytest.raises(SoldOut):
        take(schedule, now=now)
    work(now)
    assert (states(entry), offer_of(entry).deadline) == (["offered"], now + 2 * HOUR)


def test_a_hold_that_runs_out_is_nobodys_but_the_lines():
    """Neither a page nor a takeover gives it away before the job lets it go."""
    now = clock.at(DAY - timedelta(days=1), time(10))
    schedule = open_schedule(numbers=1, day=DAY)
    held = take(schedule, channel="counter", now=now)
    entry = join(schedule, now=now)
    late = held.slot.hold_until
    pools = rules.pools_for("web", organization_id=schedule.organization_id, day=DAY)

    assert numbers.count_left([schedule.pk], pools=pools, now=late) == {}
    with pytest.raises(SoldOut):
        take(schedule, now=late)
    work(late)
    assert (states(entry), offer_of(entry).appointment.slot_id) == (["offered"], held.slot_id)


def test_a_number_that_comes_back_at_night_is_kept_until_the_morning():
    night = clock.at(DAY - timedelta(days=3), time(23, 30))
    morning = clock.at(DAY - timedelta(days=2), time(6))
    schedule = full()
    entry = join(schedule)
    slot = give_back(schedule, now=night)
    work(night)

    assert (states(entry), slot.hold_until) == (["waiting"], morning + timedelta(minutes=10))
    assert selectors.for_schedule(schedule, now=night).note == "夜间不发，11-28 06:00起有空号再按顺序发。"
    work(morning - timedelta(minutes=1))
    assert states(entry) == ["waiting"]
    work(morning)
    assert (states(entry), offer_of(entry).deadline) == (["offered"], morning + 2 * HOUR)


def test_nothing_is_offered_past_the_cut_off_and_whoever_waits_is_told_once():
    schedule = full()
    first, second = join(schedule), join(schedule)
    give_back(schedule, 1, now=EVE - timedelta(minutes=30))
    work(EVE - timedelta(minutes=30))
    give_back(schedule, 2, now=EVE - timedelta(minutes=10))
    work(EVE - timedelta(minutes=10))

    assert states(first, second) == ["offered", "waiting"]
    assert offer_of(first).deadline == EVE
    slot = schedule.slots.get(number=2)
    assert (slot.status, slot.hold_until) == ("resting", EVE)
    for _time in range(2):
        work(EVE)
    assert states(first, second) == ["ended:lapsed", "ended:cutoff"]
    assert (told(first.patient), told(second.patient)) == (["waitlist.offered", "waitlist.ended"], ["waitlist.ended"])
    assert {take(schedule, now=EVE).slot.number for _anybody in range(2)} == {1, 2}


def line_with_trouble(schedule):
    """The first of each line can't be given the number: (why, entry)."""
    suspended, busy, there = (PatientFactory() for _n in range(3))
    waits = {
        "suspended": join(schedule, suspended),
        "time_conflict": join(schedule, busy),
        "already_booked": join(schedule, there),
    }
    PatientSuspension.objects.create(patient=suspended, starts_at=NOW, ends_at=NOW + timedelta(days=9), reason="爽约")
    PatientTime.objects.create(patient=busy, during=(schedule.starts_at, schedule.ends_at), source="exam", source_id=1)
    afternoon = {"half": "pm", "starts_at": schedule.ends_at, "ends_at": schedule.ends_at + 3 * HOUR}
    appointment_row(open_schedule(role=schedule.role, day=DAY, **afternoon), there)
    waits["no_patient"] = join(schedule)
    waits["no_patient"].patient.active = False
    waits["no_patient"].patient.save()
    waits["limit"] = join(schedule)
    for n in range(3):
        appointment_row(open_schedule(day=DAY + timedelta(days=n + 1)), waits["limit"].patient)
    return waits


def test_who_can_not_be_given_it_is_passed_over_with_the_reason_and_keeps_the_place():
    schedule = full()
    waits = line_with_trouble(schedule)
    last = join(schedule)
    give_back(schedule)
    work()

    found = {why: WaitlistEntry.objects.get(pk=entry.pk) for why, entry in waits.items()}
    assert {why: (row.status, row.passed) for why, row in found.items()} == {why: ("waiting", why) for why in waits}
    assert states(last) == ["offered"]
    lines = selectors.for_schedule(schedule, now=NOW).lines
    assert [(line.place, line.why) for line in lines][:2] == [(None, ""), (1, "自助预约暂停中")]
    PatientSuspension.objects.update(lifted_at=NOW)  # the next number finds the first able
    give_back(schedule, 2)
    work()
    row = WaitlistEntry.objects.get(pk=waits["suspended"].pk)
    assert (row.status, row.passed, row.passed_at) == ("offered", "", None)


def test_a_number_that_nobody_in_line_can_take_goes_on_to_rest_and_then_to_everybody():
    schedule = full()
    entry = join(schedule)
    PatientSuspension.objects.create(
        patient=entry.patient, starts_at=NOW, ends_at=NOW + timedelta(days=9), reason="爽约"
    )
    slot = give_back(schedule)
    until = slot.hold_until
    for _minute in range(3):
        work()

    slot.refresh_from_db()
    assert (slot.status, slot.hold_until) == ("resting", until)
    assert HOUR <= until - NOW <= 2 * HOUR
    assert take(schedule, now=until).slot_id == slot.pk
    assert WaitlistEntry.objects.get().passed == "suspended"


def test_a_number_of_another_channels_pool_is_not_offered():
    schedule = full(1)
    add_numbers(schedule, count=1, pool="counter", minutes=10)
    appointment_row(schedule, PatientFactory(), number=2, channel="counter")
    web, window = join(schedule), join(schedule, channel="counter")
    give_back(schedule, 2)
    work()

    assert states(web, window) == ["waiting", "offered"]
    assert WaitlistEntry.objects.get(pk=web.pk).passed == "channel"
    assert offer_of(window).appointment.slot.pool.kind == "counter"


def test_a_number_that_nobody_in_line_may_take_is_not_kept_from_those_who_may():
    """A doctor who takes a number of the consult room's own back off the basket finds it free again at once."""
    now = clock.at(DAY - timedelta(days=1), time(10))
    schedule = full(1)
    add_numbers(schedule, count=1, pool="consult", minutes=10)
    held = take(schedule, channel="consult", now=now)
    join(schedule, now=now)
    changes.drop(appointment=held, by=None, now=now)

    assert schedule.slots.get(number=2).status == "free"
    assert take(schedule, channel="consult", now=now).slot_id == held.slot_id
    slot = schedule.slots.get(number=2)
    slot.status, slot.hold_until = "held", now - timedelta(minutes=1)
    slot.save()
    pools = rules.pools_for("consult", organization_id=schedule.organization_id, day=DAY)
    assert numbers.count_left([schedule.pk], pools=pools, now=now) == {schedule.pk: 1}  # nor as it runs out


def test_a_number_returned_before_somebody_joined_is_not_for_them_while_it_rests():
    """B14: or one hand returns it and the other takes it at once."""
    schedule = full()
    slot = give_back(schedule)
    friend = join(schedule)
    work()
    assert (states(friend), WaitlistEntry.objects.get().passed) == (["waiting"], "rests")
    give_back(schedule, 2)  # one that came back since
    work()
    assert offer_of(friend).appointment.slot.number == 2
    late = join(schedule)
    work(slot.hold_until)  # its rest is over
    assert offer_of(late).appointment.slot == slot


def test_what_is_recalled_added_or_released_reaches_the_line():
    schedule = full()
    entry = join(schedule)
    add_numbers(schedule, count=1, pool="partner", minutes=10, shared=NOW + HOUR)
    work(NOW + timedelta(minutes=59))
    assert states(entry) == ["waiting"]
    work(NOW + HOUR)

    assert offer_of(entry).appointment.slot.number == 3


def test_who_got_a_number_otherwise_waits_no_more_and_is_not_told_so():
    schedule = full()
    add_numbers(schedule, count=1, pool="counter", minutes=10)
    entry = join(schedule)
    row = take(schedule, entry.patient, channel="counter")
    work()
    assert states(entry) == ["waiting"]  # a hold is no booking yet
    changes.confirm(appointment=row, by=None, now=NOW)
    work()

    assert (states(entry), told(entry.patient)) == (["ended:booked"], [])


def test_an_offered_number_moved_elsewhere_ends_the_wait_and_is_the_next_ones():
    schedule, other = full(), open_schedule(numbers=2, day=DAY + timedelta(days=1))
    first, second = join(schedule), join(schedule)
    slot = give_back(schedule)
    work()
    row = offer_of(first).appointment
    booking.reschedule(appointment=row, schedule=other, by=None, channel="web", request_key=None, now=NOW)
    work()

    assert states(first, second) == ["ended:moved", "offered"]
    assert offer_of(second).appointment.slot == slot
    assert Appointment.objects.get(pk=row.pk).schedule == other


def test_the_rule_of_the_day_says_how_long_and_when():
    schedule = full()
    rule = BookingRule.objects.get()
    rule.waitlist_minutes, rule.waitlist_from, rule.waitlist_until = 30, time(9), time(10, 15)
    rule.waitlist_days, rule.waitlist_time = 2, time(12)
    rule.save()
    rules.forget()
    entry = join(schedule)
    give_back(schedule)
    work()

    assert entry.closes_at == clock.at(DAY - timedelta(days=2), time(12))
    assert offer_of(entry).deadline == clock.at(clock.today(NOW) + timedelta(days=1), time(9, 15))
    at_ten_past = clock.at(clock.today(NOW), time(10, 20))
    join(schedule, now=at_ten_past)
    slot = give_back(schedule, 2, now=at_ten_past)
    assert slot.hold_until >= clock.at(clock.today(NOW) + timedelta(days=1), time(9, 10))
