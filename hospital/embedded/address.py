"""Where the demo listens, and whether its first page comes."""

import os
import socket
import time
import urllib.error
import urllib.request

from hospital.embedded.errors import CannotStart

DEFAULT_PORT = 8000
SECONDS_TO_FREE_PORT = 6  # the web process of a killed predecessor needs a moment to go
SECONDS_TO_FIRST_PAGE = 120


def port() -> int:
    """PORT, checked."""
    text = os.environ.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def host() -> str:
    """HOST: 127.0.0.1 keeps the demo on this machine, 0.0.0.0 opens it to the network."""
    return os.environ.get("HOST") or "127.0.0.1"


def url() -> str:
    """The address for a person (and for our own first request)."""
    return f"http://{'127.0.0.1' if host() == '0.0.0.0' else host()}:{port()}"


def await_free() -> None:
    """Raises CannotStart when someone else listens there."""
    deadline = time.monotonic() + SECONDS_TO_FREE_PORT
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind((host(), port()))
                return
            except OSError as problem:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"Port {port()} of {host()} is taken ({problem.strerror}). Choose another: make demo PORT=8001"
                    ) from None
        time.sleep(0.2)


def await_first_page(still_there) -> None:
    """Until the process answers, then until the start page does; `still_there` raises if it died."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + SECONDS_TO_FIRST_PAGE
    for path in ("/healthz/live", "/"):
        while problem := _problem_with(opener, url() + path):
            still_there()
            if time.monotonic() > deadline:
                raise CannotStart(f"{url()}{path} does not come after {SECONDS_TO_FIRST_PAGE} s: {problem}")
            time.sleep(0.1)


def _problem_with(opener, page: str) -> Exception | None:
    try:
        opener.open(page, timeout=10).close()
    except (OSError, urllib.error.URLError) as problem:
        return problem
    return None
