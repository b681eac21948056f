"""The simulated insurance: for most tests its real server on a thread, for faults a process of its own."""

import json
import urllib.request
from threading import Thread

import pytest

from billing.gateways import ports
from billing.gateways.insurance import Link, NationalInterface
from simulators.insurance.book import Book
from simulators.insurance.server import Server


class Insurance:
    """Its control, and what it remembers."""

    def __init__(self, url: str):
        self.url = url

    def behave(self, do: str, infno: str = "*", times: int = 1, **more):
        return self._post("/_script", {"do": do, "infno": infno, "times": times, **more})

    def person(self, document: str, *, insured: dict, balance: str = "0.00"):
        return self._post("/_person", {"certno": document, "insured": insured, "balc": balance})

    def at(self, now):
        """Its clock stands there, as the hospital's does in a test."""
        return self._post("/_clock", {"at": now.timestamp()})

    def calls(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.url}/_calls") as answer:
            return json.load(answer)

    def _post(self, path: str, body: dict):
        said = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(said) as answer:
            return json.load(answer)


def link(url: str, seconds: float = 2.0) -> NationalInterface:
    return NationalInterface(
        Link(url=f"{url}/fsi/api", fixmedins_code="H11010800001", paasid="demo", token="demo", seconds=seconds)
    )


@pytest.fixture(scope="session")
def _server():
    server = Server(("127.0.0.1", 0), book=Book(), paasid="demo", token="demo")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def insurance(_server):
    """Well-behaved at the start of each test, with nothing in its book."""
    for table in ("answer", "person", "visit", "detail", "settlement"):
        _server.book.write(f"DELETE FROM {table}")  # noqa: S608
    _server.scripts.clear(), _server.calls.clear()
    url = f"http://127.0.0.1:{_server.server_address[1]}"
    ports.register("insurance", link(url, seconds=0.4))
    there = Insurance(url)
    there.book = _server.book
    yield there
    ports.forget("insurance", "national")
