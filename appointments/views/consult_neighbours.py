"""Apps above this one at the consult room's desk: a kind with a middle of its own, and lines in the same basket.

Imports go down only, so the page does not know them: an app joins when it is ready, and the page asks whoever joined.
Each confirms its own lines in its own transaction: what one refuses takes nothing from the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from appointments.models import Appointment
from hospital.errors import Refused
from hospital.models import Organization, Patient, User

if TYPE_CHECKING:
    from .consult_context import Page


@dataclass
class NeighboursLine:
    """What another app holds for this patient in this sitting. `template` draws it as `item`."""

    pk: int
    line: object
    state: str  # held, lapsed, confirmed
    label: str
    template: str
    drop_url: str
    taken_at: datetime
    until_ms: int = 0
    last: bool = False
    undo_url: str = ""  # where 撤销上一项 is posted, if it drops more than this line
    more: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Confirmed:
    """What became of a neighbour's lines: how many are booked, in words, and why others are not."""

    count: int = 0
    words: str = ""
    refusal: Refused | None = None


@dataclass(frozen=True)
class Mark:
    """A word beside a name in the queue, and beside the patient in the room, where it leads to the app's kind."""

    kind: str
    label: str
    tone: str = ""
    allergies: str = ""  # what the app was told of them: said in the bar beside what this house has noted


class Neighbour:
    """What an app does at this desk. The page asks at most once per request for each of these."""

    kind = ""  # the kind's name in addresses
    label = ""  # lazily translated
    stylesheets: tuple[str, ...] = ()
    banner = ""  # the name of an address whose answer stands above the panels, asked again each minute

    def count(self, page: "Page") -> int:
        """The number beside the kind. Without a query of its own: it is drawn with every page."""
        return 0

    def marks(self, visits: Iterable[Appointment], *, organization_id: int) -> dict[int, Mark]:
        """Of those who wait or sit here, by the ids of their appointments. At most one query."""
        return {}

    def middle(self, page: "Page") -> tuple[str, object]:
        """The template of the kind's middle, and what it shows as `work`."""
        raise NotImplementedError

    def lines(self, page: "Page") -> list[NeighboursLine]:
        return []

    def known(self, page: "Page") -> tuple[str, object] | None:
        """What belongs under 已有预约: a template, and what it shows as `known`."""
        return None

    def confirm(self, page: "Page", *, by: User) -> Confirmed:
        """Confirm the lines that are held. Never raises a Refused: it is part of the answer."""
        return Confirmed()

    def refusal_to_leave(self, page: "Page") -> Refused | None:
        """Why the next patient has to wait, besides lines that are held."""
        return None

    def on_slip(self, *, basket: UUID, organization: Organization, now: datetime) -> tuple[Patient, str, list] | None:
        """What is printed of this basket: whose it is, a template, and its `items`."""
        return None


class Till:
    """Who takes the money for a basket that is confirmed when it is paid. At most one app joins."""

    stylesheets: tuple[str, ...] = ()

    def desk(self, page: "Page") -> tuple[str, object] | None:
        """What stands under the lines, as `till`, while something is to be paid or was; with `instead` the plain
        confirming is not offered."""
        return None

    def may_leave(self, page: "Page") -> bool:
        """The lines that are held will be paid elsewhere: the next patient may come in."""
        return False


_joined: list[Neighbour] = []
_tills: list[Till] = []


def join(neighbour: Neighbour) -> None:
    """Once per kind, however often an app gets ready."""
    if all(one.kind != neighbour.kind for one in _joined):
        _joined.append(neighbour)


def take_money(till: Till) -> None:
    """Once, however often the app gets ready."""
    if not _tills:
        _tills.append(till)


def till() -> Till | None:
    return _tills[0] if _tills else None


def joined() -> list[Neighbour]:
    return list(_joined)
