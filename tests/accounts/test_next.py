"""`next` comes from whoever wrote the link: an address of ours, or nothing."""

from urllib.parse import urlsplit

import pytest

from hospital.models import RelatedPerson
from tests.accounts.acts import sign_in
from tests.bookings.scenes import account_with

pytestmark = pytest.mark.django_db

ODD = [
    "foo", "family", "family_member", "appointments:booking", "a.b", "javascript:alert(1)", "//evil.example", "///evil",
    "/\\evil.example", "https://evil.example/", "http://[", "/[", "/%", "\x00", "/\x00", "/a\r\nSet-Cookie: a=b", " ",
    "?", "#", "/好?a=好", "data:text/html,x",
]  # fmt: skip


def stays_here(answer):
    """No server error (the client raises it), and no other host."""
    assert answer.status_code < 500
    assert urlsplit(answer.headers.get("Location", "")).netloc in {"", "testserver"}
    return answer


@pytest.fixture
def mine(client):
    client.user = account_with()
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_every_page_that_goes_on_survives_an_odd_next(mine, odd):
    person = RelatedPerson.objects.get(account=mine.user)
    agreed = {"edition": "elderly", "language": "en"}

    for path in ("/edition/", "/sign-in/", "/sign-in/code/", "/sign-in/again/", "/sign-in/inbox/", "/me/consent/",
                 f"/me/family/{person.pk}/consent/", "/me/family/add/", "/me/family/code/", "/me/phone/",
                 "/me/phone/code/", "/language/", "/me/language/"):  # fmt: skip
        stays_here(mine.get(path, {"next": odd}))
        stays_here(mine.post(path, {**agreed, "next": odd}))
        stays_here(mine.post(f"{path}?next=foo", {**agreed, "next": odd}))


@pytest.mark.parametrize("odd", ["foo", "family_member", "https://evil.example/"])
def test_a_word_is_no_address(mine, odd):
    assert mine.post("/edition/", {"edition": "elderly", "next": odd}).url == "/"
    assert mine.get("/sign-in/", {"next": odd}).url == "/"
    assert mine.post("/edition/", {"edition": "elderly", "next": "/me/?a=1"}).url == "/me/?a=1"


@pytest.mark.parametrize("odd", ["foo", "family_member", "//evil.example", "/["])
def test_signing_in_goes_on_to_a_page_of_ours(client, odd):
    stays_here(sign_in(client, after=odd))


def test_a_language_that_the_pages_do_not_have_is_not_stored(mine):
    """V5: Django knows French, this hospital does not write it."""
    mine.post("/me/language/", {"language": "fr"})

    assert RelatedPerson.objects.get(account=mine.user).patient.language == "zh-hans"
