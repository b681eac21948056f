"""Requests as bytes: who books where, never the same patient twice, keys never repeated."""

import itertools
import json
import random
import secrets
from collections.abc import Iterable, Iterator

from bench.load import HOST
from bench.seed import Ground

OURS, USUAL = "/api/v1", "/api/usual"


class Calls:
    """Hands out patients in blocks, so that parallel clients never meet by accident."""

    def __init__(self, ground: Ground, *, part: float = 0.0):
        """`part` of the patients are passed over: another process has them."""
        self.ground = ground
        self.random = random.Random(20261121)
        lowest, highest = ground.patients
        self.first = lowest + int(part * (highest - lowest))
        self.mark = secrets.token_hex(3)  # keys of one process are never another's
        self.keys = itertools.count()

    def patients(self, count: int) -> range:
        """The next patients; from the first again when they are used up."""
        lowest, highest = self.ground.patients
        if self.first + count > highest + 1:
            self.first = lowest
        self.first += count
        return range(self.first - count, self.first)

    def request(self, way: str, schedule: int, patient: int, key: str) -> bytes:
        body = json.dumps({"patient": patient})
        return (
            f"POST {way}/schedules/{schedule}/appointments/ HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Authorization: Bearer {self.ground.token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def spread(self, way: str, schedules: Iterable[int], *, processes: int = 1, block: int):
        """For load.drive: each patient once, over all these schedules evenly; made before the clock starts."""
        places = list(schedules)
        self.random.shuffle(places)
        run = f"{self.mark}-b{next(self.keys)}"
        blocks = [self.patients(block) for _n in range(processes)]

        def requests(n: int) -> Iterator[bytes]:
            ring = itertools.cycle(places[n::processes] or places)
            return iter([self.request(way, next(ring), patient, f"{run}-{patient}") for patient in blocks[n]])

        return requests

    def get(self, path: str):
        """For load.drive: the same page again and again."""
        page = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        return lambda _n: itertools.repeat(page)
