"""Two browsers, one number: real threads, real PostgreSQL (B16)."""

import pytest
from django.test import Client

from appointments.models import Appointment
from tests.booking.crowd import Crowd
from tests.booking.sound import unsound

from .scenes import account_with, clinic, key_on, people, where

pytestmark = pytest.mark.django_db(transaction=True)


def browser(account):
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_of_two_accounts_at_the_last_number_one_wins_and_the_other_sees_fresh_slices():
    schedule = clinic(numbers=2, minutes=30)
    accounts = [account_with(name) for name in ("周志明", "李秀英")]
    clients = [browser(account) for account in accounts]
    posts = [
        {"patient": people(account)[0].pk, "request_key": key_on(client.get(where(schedule)))}
        for account, client in zip(accounts, clients, strict=True)
    ]
    with Crowd(2) as crowd:
        answers = crowd.at_once(
            *(lambda c=client, p=post: c.post(where(schedule), p) for client, post in zip(clients, posts, strict=True))
        )

    went = sorted(answer.url.split("?")[0] for answer in answers)
    row = Appointment.objects.get()
    assert went == [f"/book/doctors/{schedule.role_id}/", f"/bookings/{row.pk}/done/"]
    lost = next(client for client, answer in zip(clients, answers, strict=True) if "lost=1" in answer.url)
    page = lost.get(next(answer.url for answer in answers if "lost=1" in answer.url)).content.decode()
    assert "这个时段刚被约满" in page
    assert "08:30–09:00" in page
    assert not unsound()


def test_five_clicks_of_one_page_at_once_are_one_booking():
    schedule = clinic()
    account = account_with()
    post = {"patient": people(account)[0].pk, "request_key": key_on(browser(account).get(where(schedule)))}
    clients = [browser(account) for _n in range(5)]
    with Crowd(5) as crowd:
        answers = crowd.at_once(*(lambda c=client: c.post(where(schedule), post) for client in clients))

    row = Appointment.objects.get()
    assert {answer.url for answer in answers} == {f"/bookings/{row.pk}/done/"}


def test_two_pages_of_one_account_for_one_person_are_one_booking_and_a_refusal():
    """Two tabs have two keys: the law, not the key, keeps it one."""
    schedule = clinic()
    account = account_with()
    clients = [browser(account) for _n in range(2)]
    patient = people(account)[0].pk
    posts = [{"patient": patient, "request_key": key_on(client.get(where(schedule)))} for client in clients]
    with Crowd(2) as crowd:
        answers = crowd.at_once(
            *(lambda c=client, p=post: c.post(where(schedule), p) for client, post in zip(clients, posts, strict=True))
        )

    assert sorted(answer.status_code for answer in answers) == [302, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "同一天同一科室已有预约" in refused.content.decode()
    assert Appointment.objects.count() == 1


def test_two_accounts_that_post_the_same_key_share_no_basket():
    """The key comes from the browser: what the code on one card names is never another account's booking."""
    schedule, key = clinic(), "7d444840-9dc0-41d1-b245-5ffdce74fad2"
    for account in (account_with("周志明"), account_with("李秀英")):
        browser(account).post(where(schedule), {"patient": people(account)[0].pk, "request_key": key})

    first, second = Appointment.objects.values_list("basket", flat=True)
    assert first != second
