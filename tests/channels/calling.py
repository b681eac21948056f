"""The steps of a call at the operators' page."""

from uuid import uuid4

from tests.channels.conftest import DOCUMENT


def opened(client, q=DOCUMENT) -> str:
    """The address of the patient found by a search, not identified yet."""
    return client.post("/phone/", {"q": q}).url


def identified(client, q=DOCUMENT) -> str:
    return client.post(opened(client, q) + "identified/").url


def slot_of(schedule, number=1) -> str:
    return f"{schedule.pk}@{schedule.slots.get(number=number).start.isoformat()}"


def book(client, call, schedule, **more):
    return client.post(f"{call}book/", {"slot": slot_of(schedule), "request_key": uuid4(), **more})


def text(response) -> str:
    return response.content.decode()
