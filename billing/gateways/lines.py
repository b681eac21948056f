"""The line to a gateway: one HTTP call, cut off after some seconds in all. What networks do becomes Away."""

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from time import monotonic
from urllib.parse import urlsplit

from .ports import Away

SECONDS = 8.0
"""For connecting, asking and the whole answer: a person waits at the other end."""
SECONDS_FOR_A_BILL = 600.0
SILENT, TWICE, REST = 2.0, 2, 15.0
"""Who keeps us waiting longer than the first (seconds) for nothing, so often in a row, is not asked for the last:
people hear at once that it is away, and a round of the job does not stand still."""
_silent: dict[str, tuple[int, float]] = {}
LONGEST = 2**20
"""Bytes of an answer. A bill is read as a stream instead."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(
    method: str, url: str, *, headers: dict[str, str], body: bytes | None = None, seconds: float = SECONDS
) -> Answer:
    """Raises Away."""
    with _response(method, url, headers=headers, body=body, seconds=seconds) as response:
        text = response.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise Away
        return Answer(response.status, response.headers, text)


def stream(url: str, *, headers: dict[str, str]) -> Iterator[bytes]:
    """What a GET gives, piece by piece. Raises Away, also in the middle."""
    with _response("GET", url, headers=headers, body=None, seconds=SECONDS_FOR_A_BILL) as response:
        if response.status != 200:
            raise Away
        while piece := response.read(65536):
            yield piece


@contextmanager
def _response(method, url, *, headers, body, seconds) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    began = _not_resting(parts.netloc)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    more = {"context": ssl.create_default_context()} if parts.scheme == "https" else {}
    connection = kind(parts.hostname, parts.port, timeout=min(seconds, SECONDS), **more)
    end = Timer(seconds, _cut, [connection])  # a timeout counts each read anew; a dripping answer would keep us
    end.daemon = True
    end.start()
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=body, headers=headers)
        response = connection.getresponse()
        _silent.pop(parts.netloc, None)
        yield response
    except (OSError, http.client.HTTPException, AttributeError) as error:  # AttributeError: cut while it was read
        if monotonic() > began + SILENT:
            _silent[parts.netloc] = (_silent.get(parts.netloc, (0, 0))[0] + 1, monotonic() + REST)
        raise Away from error
    finally:
        end.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(2)


def _not_resting(host: str) -> float:
    """The moment. Raises Away."""
    now = monotonic()
    often, until = _silent.get(host, (0, 0.0))
    if often >= TWICE and now < until:
        raise Away
    return now
