"""Small things that the consult-room page is made of: options to choose, lines of the basket, moments."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from appointments.models import Appointment, Encounter
from hospital.errors import Refused

OPENED = "consult_opened"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    return round((moment - EPOCH).total_seconds() * 1000)


def basket_of(encounter: Encounter) -> UUID:
    """预约单 of one sitting: the same in every tab and after a new sign-in, and not to be guessed."""
    return UUID(bytes=salted_hmac("consult.basket", str(encounter.pk)).digest()[:16], version=4)


def opened_at(request: HttpRequest, encounter: Encounter, *, now: datetime) -> datetime:
    """When this patient was first opened on this page. Kept by the server, for the measure of a booking's length."""
    seen = request.session.get(OPENED) or {}
    if seen.get("encounter") != encounter.pk:
        seen = {"encounter": encounter.pk, "at": now.isoformat()}
        request.session[OPENED] = seen
    return datetime.fromisoformat(seen["at"])


@dataclass
class Option:
    """One thing to choose, with where it leads and whether a rule forbids it."""

    label: str
    href: str = ""
    chosen: bool = False
    key: str = ""
    name: str = ""
    note: str = ""
    count: int = 0
    refusal: Refused | None = None


@dataclass
class Line:
    """One appointment of the basket as it is now."""

    line: Appointment
    state: str  # held, lapsed, confirmed
    label: str
    until_ms: int = 0
    last: bool = False
    why: str = ""
    next: str = ""
    take_url: str = ""
    request_key: str = field(default_factory=lambda: str(uuid4()))

    @property
    def ends(self) -> datetime:
        return self.line.start + timedelta(minutes=self.line.slot.minutes)
