"""Apps above this one that live in the demo hospital, too. Imports go down only, so the seeding does not know them: an
app joins when it is ready, and the seeding asks whoever joined, after its own days are lived and before the end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appointments.demo.scale import Scale
from hospital.models import Practitioner, User


@dataclass(frozen=True)
class Scene:
    """What the seeding hands on. `doctor`: the demo's own, whose clinic is on."""

    scale: Scale
    doctor: Practitioner
    users: dict[str, User]
    now: datetime


@dataclass(frozen=True)
class Neighbour:
    """`app`: its label; a run cut off throws its rows away, too. `live` fills it and says how much."""

    app: str
    live: Callable[[Scene], str]


joined: list[Neighbour] = []


def join(neighbour: Neighbour) -> None:
    if neighbour.app not in {each.app for each in joined}:
        joined.append(neighbour)
