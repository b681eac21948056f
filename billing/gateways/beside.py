"""A file beside the installation, never in the database or the repository: where something outside is, and our keys for
it, house by house (TOML, `house` is the institution's code or "*" for all that have none of their own).

It is read again when it changes, so that a key can be exchanged while the house is open; one that can't be read is
refused whole, and the last good one stays.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from hospital.models import Organization

log = structlog.get_logger(__name__)

LOOKED_AGAIN = 5.0
"""Seconds between two looks at a file."""
EVERYWHERE = "*"


class Unfit(Exception):
    """The sentence says which entry and what is wrong; it never has a key in it."""


@dataclass
class _Reading:
    """What was read, and what was made of that: another reading is another one of these."""

    path: str | None = None
    stamp: tuple | None = None
    looked: float = 0.0
    entries: list = field(default_factory=list)
    made: dict[int, Any] = field(default_factory=dict)


class Beside:
    """The file that the setting names. `read(path)` returns its entries and raises OSError or Unfit."""

    def __init__(self, setting: str, read: Callable[[Path], list]):
        self.setting, self.read = setting, read
        self._lock = Lock()
        self.forget()

    def of_house(self, organization: int, make: Callable[[list, str], Any]) -> Any:
        """`make(entries, code)` of the house, kept until the file changes. None: the file is empty or not there."""
        reading = self._now()
        if not reading.entries:
            return None
        if organization not in reading.made:
            code = Organization.objects.values_list("code", flat=True).get(pk=organization)
            reading.made[organization] = make(reading.entries, code)
        return reading.made[organization]

    def forget(self) -> None:
        """What was read; the next question reads again."""
        self._reading = _Reading()

    def look_again(self) -> None:
        """At the next question, however short ago the last look was."""
        self._reading.looked = 0.0

    def _now(self) -> _Reading:
        """Who comes while another thread reads waits for it: never a moment without what is outside."""
        path = getattr(settings, self.setting)
        if self._is_old(path):
            with self._lock:
                if self._is_old(path):
                    self._reading = self._look(path)
        return self._reading

    def _is_old(self, path: str) -> bool:
        return path != self._reading.path or monotonic() > self._reading.looked + LOOKED_AGAIN

    def _look(self, path: str) -> _Reading:
        last = self._reading
        try:
            stamp = _stamp(path)
            if stamp == last.stamp:
                return replace(last, path=path, looked=monotonic())
            entries = self.read(Path(path)) if stamp else []
        except (OSError, Unfit) as error:
            why = str(error) if isinstance(error, Unfit) else type(error).__name__
            log.error("file_not_read", setting=self.setting, error=why)
            return replace(last, path=path, looked=monotonic())
        return _Reading(path, stamp, monotonic(), entries)


def _stamp(path: str) -> tuple | None:
    """None: there is no such file."""
    if not path or not Path(path).exists():
        return None
    about = Path(path).stat()
    return path, about.st_ino, about.st_mtime_ns, about.st_size


def entries(path: Path, table: str, one: Callable[[dict, Path], Any]) -> list:
    """`one(entry, folder)` of each [[table]] of the file. Raises OSError, Unfit."""
    try:
        found = tomllib.loads(path.read_text()).get(table, [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Unfit("not a TOML file") from None
    return [_tried(one, entry, path.parent, f"{table} {number}") for number, entry in enumerate(found, 1)]


def _tried(one: Callable[[dict, Path], Any], entry: dict, folder: Path, where: str) -> Any:
    try:
        return one(entry, folder)
    except KeyError as missing:
        raise Unfit(f"{where}: {missing.args[0]} is missing") from None
    except OSError as error:
        raise Unfit(f"{where}: {Path(error.filename or '').name} can't be read") from None
    except (ValueError, TypeError, AttributeError):
        raise Unfit(f"{where}: one of its values is not valid") from None
    except Unfit as wrong:
        raise Unfit(f"{where}: {wrong}") from None


def own_or_everywhere(found: list[tuple[str, Any]], code: str) -> Any:
    """Of (house, what) pairs: the house's own, else the one for all."""
    by_house = dict(found)
    return by_house.get(code) or by_house.get(EVERYWHERE)


def https(entry: dict, name: str) -> str:
    """Keys, money and personal data go there: plain HTTP only where the house shows itself (the demo's simulators)."""
    address = str(entry[name])
    parts = urlsplit(address)
    if not parts.hostname or parts.scheme != "https" and not (settings.DEMO and parts.scheme == "http"):
        raise Unfit(f"{name} must begin with https://")
    return address


def secret(entry: dict, name: str, folder: Path) -> str:
    """Written there, or in a file of its own: `key` or `key_file`."""
    kept = entry.get(f"{name}_file")
    return (folder / kept).read_text().strip() if kept else str(entry[name])
