"""短信. Which gateway takes the message is a setting; without one it stays waiting and is tried again."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from hospital.models import Message


class NoGateway(Exception):
    """SMS_GATEWAY is not set: nothing is sent, and nothing is pretended to be."""


def send(*, message: Message, text: str, now: datetime) -> bool:
    """Hand it to the gateway under a request id that is the same on every try. False: the person has no phone."""
    phone = message.to or (message.patient.phone if message.patient_id else "")
    if not phone:
        return False
    _gateway()(request_id=message.dedupe, to=phone, template=message.template, text=text, now=now)
    return True


def send_now(*, request_id: str, to: str, template: str, text: str, now: datetime) -> None:
    """Hand over what can't wait in a queue, a code: taken when this returns, else it raises. Nothing is kept here."""
    _gateway()(request_id=request_id, to=to, template=template, text=text, now=now)


def _gateway() -> Callable:
    if not settings.SMS_GATEWAY:
        raise NoGateway
    return import_string(settings.SMS_GATEWAY)
