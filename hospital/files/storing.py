"""Reading what was stored, and sweeping what nobody speaks of."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.core.files.storage import Storage

from .errors import FileLost

NOBODYS = timedelta(days=1)
"""Until then a file that no row names may be of a form that is still open."""

BATCH = 500


def content_of(storage: Storage, name: str, *, digest: str) -> bytes:
    """The stored bytes, if they are what was stored (SHA-256). Raises FileLost."""
    try:
        with storage.open(name) as stored:
            content = stored.read()
    except (OSError, ValueError) as problem:
        raise FileLost from problem
    if hashlib.sha256(content).hexdigest() != digest:
        raise FileLost
    return content


def sweep(storage: Storage, *, known: Callable[[list[str]], set[str]], now: datetime) -> int:
    """Delete what `known` doesn't name for a day. Safe to repeat; returns how many went."""
    gone = 0
    stored = list(_stored(storage, ""))
    for first in range(0, len(stored), BATCH):
        names = stored[first : first + BATCH]
        kept = known(names)
        for name in names:
            if name not in kept and storage.get_modified_time(name) < now - NOBODYS:
                storage.delete(name)
                gone += 1
    return gone


def _stored(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    for each in sorted(files):
        yield f"{folder}/{each}" if folder else each
    for each in sorted(folders):
        yield from _stored(storage, f"{folder}/{each}" if folder else each)
