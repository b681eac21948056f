"""What the tests of signing in do over and over."""

import re

from hospital.models import GatewayReceipt

PHONE = "13912345678"


def last_code() -> str:
    """The newest code that the development gateway took in."""
    return re.search(r"\d{6}", GatewayReceipt.objects.latest("pk").text)[0]


def other_than(code: str) -> str:
    """A code of six digits that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def ask(client, phone=PHONE, *, after="", **extra):
    return client.post("/sign-in/", {"phone": phone, "next": after}, **extra)


def answer(client, code=None, *, after="", **extra):
    return client.post("/sign-in/code/", {"code": code or last_code(), "next": after}, **extra)


def sign_in(client, phone=PHONE, *, after="", **extra):
    """From the phone to the page after; the last answer."""
    ask(client, phone, after=after, **extra)
    return answer(client, after=after, **extra)
