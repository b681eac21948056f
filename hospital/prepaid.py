"""Must something be paid before it is confirmed? Asked by whoever confirms a booking, answered by the app that takes
money, which is on top and unknown here. Nobody answers: nothing is paid ahead, and a free clinic works without it.
"""

from collections.abc import Callable
from datetime import datetime

from .errors import Refused


class PayFirst(Refused):
    """What is held is confirmed when it is paid: whoever catches it leads the person to `page`."""

    pay = ""  # that address, for programs

    def body(self) -> dict:
        return {**super().body(), "pay": self.pay} if self.pay else super().body()


Gate = Callable[..., Refused | None]
"""gate(kind=, organization=, channel=, patient=, booking=, fee=, now=): the refusal, or None: confirm it.

`booking` None: it is not written yet, and its price not known; a refusal then means: hold it first.
"""

_gates: list[Gate] = []


def ask(gate: Gate) -> None:
    """Register, once, when the app is ready."""
    _gates.append(gate)


def refusal(
    *,
    kind: str,
    organization: Callable[[], int],
    channel: str,
    patient: int,
    now: datetime,
    booking: int | None = None,
    fee=None,
) -> Refused | None:
    """`kind`: "appointment" or "exam"; `organization` is only asked where some house wants money first. The
    caller holds the booking's lock."""
    asked = {"kind": kind, "organization": organization, "channel": channel, "patient": patient}
    for gate in _gates:
        if found := gate(**asked, booking=booking, fee=fee, now=now):
            return found
    return None


Way = Callable[..., str | None]
"""way(kind=, booking=, where=): the address at which that held booking is paid."""

_ways: list[Way] = []


def pays_at(way: Way) -> None:
    """Register, once, when the app is ready."""
    _ways.append(way)


def page(*, kind: str, booking: int, where: str) -> str | None:
    """Where to go with a booking that is held until it is paid. `where`: "patient" (their own phone), "kiosk" or "desk"
    (window, phone operators, ward, partner, exam centre). None: nobody takes money here."""
    return next(filter(None, (way(kind=kind, booking=booking, where=where) for way in _ways)), None)
