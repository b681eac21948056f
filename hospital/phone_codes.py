"""A page's side of a code: the session that asked is the only one that can answer.

    phone_codes.ask(request, purpose=Purpose.BIND, phone=patient.phone, now=now)     # sends; Refused: show it
    phone_codes.asked(request, purpose=Purpose.BIND)                                 # for the page: whose phone
    phone_codes.on_its_way(request, purpose=Purpose.BIND, phone=phone, now=now)      # may a page say "sent"?
    phone = phone_codes.answer(request, purpose=Purpose.BIND, code=typed, now=now)   # Refused: show it

Neither inside a transaction. The session holds the phone encrypted and the number of the row, never the code.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from . import audit, codes, devices
from .addresses import client_address
from .errors import Refused
from .fields import cipher

SHOWN_IN_DEMO = "codes_asked"


@dataclass(frozen=True)
class Asked:
    phone: str
    sent: int


def ask(request, *, purpose: str, phone: str, now: datetime) -> None:
    """Send a code to `phone` and let this session answer it; an older one of the same purpose is void."""
    device, address = devices.digest_of(request), client_address(request)
    sent = codes.send(purpose=purpose, phone=phone, device=device, address=address, now=now)
    request.session[_slot(purpose)] = {"sent": sent, "phone": cipher().encrypt(phone.encode()).decode()}
    if settings.DEMO:
        request.session[SHOWN_IN_DEMO] = [*request.session.get(SHOWN_IN_DEMO, []), sent][-20:]


def asked(request, *, purpose: str) -> Asked | None:
    """What this session waits for an answer to."""
    kept = request.session.get(_slot(purpose))
    return Asked(cipher().decrypt(kept["phone"].encode()).decode(), kept["sent"]) if kept else None


def on_its_way(request, *, purpose: str, phone: str, now: datetime) -> bool:
    """Whether this session can still answer a code that was sent to `phone`."""
    waiting = asked(request, purpose=purpose)
    return waiting is not None and waiting.phone == phone and codes.is_good(sent=waiting.sent, phone=phone, now=now)


def answer(request, *, purpose: str, code: str, now: datetime) -> str:
    """The phone that the right code proves. Raises CodeOver, WrongCode; a refusal leaves a trace."""
    waiting = asked(request, purpose=purpose)
    if waiting is None:
        raise codes.CodeOver
    try:
        codes.check(sent=waiting.sent, purpose=purpose, phone=waiting.phone, code=code, now=now)
    except Refused:
        audit.record(
            action="account.code_refused", actor=None, subject=f"code:{waiting.sent}", now=now, request=request
        )
        raise
    forget(request, purpose=purpose)
    return waiting.phone


def forget(request, *, purpose: str) -> None:
    request.session.pop(_slot(purpose), None)


def _slot(purpose: str) -> str:
    return f"code_{purpose}"
