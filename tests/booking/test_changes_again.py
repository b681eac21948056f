"""The same request again, and a basket as one act (B2, X2)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from appointments import errors
from appointments.models import Appointment
from appointments.services import booking, changes
from hospital.models import Fact
from tests.booking.acts import cancel, take, take_and_confirm, utc
from tests.factories import NOW, TODAY, PatientFactory, UserFactory, open_schedule

pytestmark = pytest.mark.django_db


IN_A_WEEK = TODAY + timedelta(days=7)


def basket_of(*schedules, user):
    basket, patient = uuid4(), PatientFactory()
    return basket, [take(schedule, patient, channel="consult", by=user, basket=basket) for schedule in schedules]


def schedules_on_two_days():
    return open_schedule(day=IN_A_WEEK), open_schedule(day=IN_A_WEEK + timedelta(days=1))


# The same request again (a double click, a lost answer).


def test_a_repeated_confirmation_is_the_same_answer():
    user = UserFactory()
    held = take(open_schedule(), by=user)

    first = changes.confirm(appointment=held, by=user, request_key="c", now=NOW)
    again = changes.confirm(appointment=held, by=user, request_key="c", now=NOW + timedelta(hours=1))

    assert (again.pk, again.confirmed_at) == (first.pk, NOW)
    fact = Fact.objects.get(request_key="c")
    assert (fact.account, len(fact.body)) == (user.pk, 64)


def test_a_repeated_confirmation_of_what_was_cancelled_meanwhile_is_no_success():
    user = UserFactory()
    held = take(open_schedule(), by=user)
    changes.confirm(appointment=held, by=user, request_key="c", now=NOW)
    cancel(held, by=user)

    with pytest.raises(errors.HoldLapsed):
        changes.confirm(appointment=held, by=user, request_key="c", now=NOW)


def test_a_repeated_confirmation_after_check_in_is_still_the_same_answer():
    user = UserFactory()
    held = take(open_schedule(day=TODAY), by=user)
    changes.confirm(appointment=held, by=user, request_key="c", now=NOW)
    Appointment.objects.update(status="arrived")

    assert changes.confirm(appointment=held, by=user, request_key="c", now=NOW).pk == held.pk


def test_a_repeated_cancellation_is_the_same_answer_even_after_the_cut_off():
    user = UserFactory()
    row = take_and_confirm(open_schedule(), by=user)
    cancel(row, by=user, key="x")

    again = cancel(row, by=user, key="x", now=row.start)

    assert (again.status, again.cancelled_at) == ("cancelled", NOW)


@pytest.mark.parametrize("verb", ["book", "confirm", "cancel", "move", "basket"])
@pytest.mark.parametrize("used_for", ["book", "confirm", "cancel", "move", "basket"])
def test_a_key_that_asked_for_one_thing_opens_nothing_else(used_for, verb):
    """422, whatever verb it was used for and whatever verb it comes with now."""
    user, schedule = UserFactory(), open_schedule(numbers=20)
    acts = {
        "book": lambda _row, _other: take(schedule, key="k", by=user),
        "confirm": lambda row, _other: changes.confirm(appointment=row, by=user, request_key="k", now=NOW),
        "cancel": lambda row, _other: cancel(row, by=user, key="k"),
        "move": lambda row, _other: booking.reschedule(
            appointment=row, schedule=schedule, number=15, by=user, channel="web", request_key="k", now=NOW
        ),
        "basket": lambda row, _other: changes.confirm_basket(basket=row.basket, by=user, request_key="k", now=NOW),
    }
    first, second = (take(schedule, by=user, basket=uuid4()) for _n in range(2))
    acts[used_for](first, second)
    before = Appointment.objects.values_list("pk", "status", "slot").order_by("pk")
    standing = list(before)

    with pytest.raises(errors.KeyReused) as refusal:
        acts[verb](second, first)

    assert refusal.value.status == 422
    assert list(before.all()) == standing


def test_the_key_of_one_account_means_nothing_to_another():
    schedule = open_schedule()
    first, second = take(schedule, key="k"), take(schedule, key="k")

    assert first.pk != second.pk


def test_what_the_house_books_by_itself_is_repeated_safely_too():
    """Jobs have no log-in: the waitlist books under its own key, once."""
    schedule, patient = open_schedule(), PatientFactory()

    def by_the_house():
        return booking.book(
            schedule=schedule, patient=patient, channel="web", by=None, request_key="waitlist:7", now=NOW
        ).pk

    assert by_the_house() == by_the_house()
    assert Appointment.objects.count() == 1


def test_a_start_written_in_another_zone_is_the_same_request():
    schedule, patient, user = open_schedule(), PatientFactory(), UserFactory()
    start = schedule.starts_at

    first = take(schedule, patient, by=user, key="k", start=start)

    assert take(schedule, patient, by=user, key="k", start=utc(start.date(), 0)).pk == first.pk


# A basket is confirmed as one act.


def test_a_basket_is_confirmed_at_once():
    user = UserFactory()
    basket, rows = basket_of(*schedules_on_two_days(), user=user)

    done = changes.confirm_basket(basket=basket, by=user, request_key="b", now=NOW)

    assert {row.pk for row in done.booked} == {row.pk for row in rows}
    assert done.lapsed == []
    assert set(Appointment.objects.values_list("status", flat=True)) == {"booked"}


def test_a_line_that_lapsed_is_named_and_the_others_are_booked():
    user = UserFactory()
    first, second = schedules_on_two_days()
    basket, [early] = basket_of(first, user=user)
    late = take(second, channel="consult", by=user, basket=basket, now=NOW + timedelta(minutes=2))

    done = changes.confirm_basket(basket=basket, by=user, now=NOW + timedelta(minutes=4))

    assert [row.pk for row in done.booked] == [late.pk]
    assert [row.pk for row in done.lapsed] == [early.pk]


def test_a_repeated_basket_is_the_same_answer_and_tells_what_went_back_meanwhile():
    user = UserFactory()
    basket, [first, second] = basket_of(*schedules_on_two_days(), user=user)
    changes.confirm_basket(basket=basket, by=user, request_key="b", now=NOW)
    cancel(first, channel="consult", by=user)

    again = changes.confirm_basket(basket=basket, by=user, request_key="b", now=NOW + timedelta(hours=1))

    assert [row.pk for row in again.booked] == [second.pk]
    assert [row.pk for row in again.lapsed] == [first.pk]
    assert Fact.objects.filter(topic="appointment.booked").count() == 2


def test_an_empty_basket_confirms_nothing():
    done = changes.confirm_basket(basket=uuid4(), by=UserFactory(), request_key="b", now=NOW)

    assert (done.booked, done.lapsed) == ([], [])
    assert not Fact.objects.exists()
