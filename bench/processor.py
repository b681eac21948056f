"""Processor time that web server and database took, from /proc: what neighbours on a shared machine distort least."""

import os
from pathlib import Path

from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, OWN, REAPED = 1, slice(11, 13), slice(13, 15)  # fields of /proc/PID/stat after the name


class Processor:
    """Of the server started with `web`, and of the PostgreSQL behind the connection if it runs on this machine."""

    def __init__(self, web: int):
        self.web = web
        self.database = self._postmaster()

    def spent(self) -> tuple[float, float]:
        """(web, database) seconds since they started; of the database 0 when it can't be seen."""
        fields = _all()
        return _tree(self.web, fields), _tree(self.database, fields) if self.database else 0.0

    @staticmethod
    def _postmaster() -> int | None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        name = Path(f"/proc/{backend}/comm")
        if name.exists() and name.read_text().startswith("postgres"):
            return int(_fields(Path(f"/proc/{backend}"))[PARENT])
        return None


def _fields(folder: Path) -> list[str]:
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _all() -> dict[int, list[str]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = _fields(folder)
        except OSError:
            continue  # it ended meanwhile
    return found


def _tree(root: int, fields: dict[int, list[str]]) -> float:
    """A process, its living children, and those that it has buried."""
    mine = fields.get(root)
    if mine is None:
        return 0.0
    ticks = sum(map(int, mine[OWN])) + sum(map(int, mine[REAPED]))
    ticks += sum(sum(map(int, each[OWN])) for each in fields.values() if int(each[PARENT]) == root)
    return ticks / TICKS
