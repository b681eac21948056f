"""A load generator of our own: raw sockets, keep-alive, one epoll loop a process. Only ever 127.0.0.1.

A client in Python must not be what is measured: requests are bytes made beforehand or by one f-string, answers are
cut by Content-Length and counted by status and refusal code. `own_cost` says what the client itself took.
"""

import heapq
import multiprocessing
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HOST = "127.0.0.1"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CODE = re.compile(rb'"code": ?"(\w+)"')
FORK = multiprocessing.get_context("fork")
GIVE_UP = 30.0  # seconds without any answer
LONGEST = 300.0  # seconds for what is counted in requests, not in time


@dataclass
class Tally:
    """What came back. Seconds throughout; moments on the monotonic clock of this machine."""

    answers: Counter = field(default_factory=Counter)  # "201", "409 sold_out", "broken"
    latencies: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)  # the moment that each latency is counted from
    won: list[float] = field(default_factory=list)  # moments of the 201s
    started: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    def rate(self, answer: str | None = None) -> float:
        """Answers a second, of one kind or all."""
        return (self.answers[answer] if answer else self.total) / self.seconds

    def percentile(self, percent: float, *, since: float = 0.0, until: float = float("inf")) -> float:
        """Of the requests that were under way in a span of time, however briefly."""
        pairs = zip(self.latencies, self.asked, strict=True)
        ordered = sorted(latency for latency, asked in pairs if asked <= until and asked + latency >= since)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def own_cost(self) -> float:
        """Processor seconds of the client per answer."""
        return self.cpu / max(1, self.total)


class Line:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int):
        self.port = port
        self.request: bytes | None = None
        self.asked_at = 0.0
        self.buffer = b""
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection((HOST, self.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes, *, due: float) -> None:
        self.request, self.asked_at, self.buffer = request, due, b""
        self.socket.sendall(request)

    def hear(self) -> bytes | None:
        """The whole answer once it is there. Raises ConnectionError when the server hung up."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionResetError
        self.buffer += piece
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        length = LENGTH.search(self.buffer, 0, end + 2)
        if length and len(self.buffer) < end + 4 + int(length[1]):
            return None
        return self.buffer


class Driver:
    """Drives some connections until its requests are used up or its time is over."""

    def __init__(self, port: int, requests: Iterator[bytes], *, connections: int, seconds=None, every=None, stop=None):
        self.requests = requests
        self.seconds = seconds
        self.stop = stop  # an event that ends the run early
        self.every = every  # seconds between two requests of one connection; None: as fast as it answers
        self.tally = Tally()
        self.poll = select.epoll()
        self.lines = {}
        self.waiting: list[tuple[float, int, int, bytes | None]] = []  # (due, order, connection, request again)
        self.order = 0
        self.under_way = 0
        for _n in range(connections):
            self._register(Line(port))

    def _register(self, line: Line) -> None:
        self.lines[line.socket.fileno()] = line
        self.poll.register(line.socket, select.EPOLLIN)

    def run(self) -> Tally:
        self.tally.started = self.heard = time.monotonic()
        cpu = time.process_time()
        for place, line in enumerate(list(self.lines.values())):
            offset = self.every * place / len(self.lines) if self.every else 0
            self._later(line, self.tally.started + offset)
        while self.under_way or self.waiting:
            self._send_due()
            wait = max(0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1
            for place, _event in self.poll.poll(min(wait, 1)):
                self._answered(self.lines[place])
            if time.monotonic() > self.heard + GIVE_UP:
                break
        self.tally.ended = time.monotonic()
        self.tally.cpu = time.process_time() - cpu
        for line in self.lines.values():
            line.socket.close()
        return self.tally

    def _later(self, line: Line, due: float, request: bytes | None = None) -> None:
        self.order += 1
        heapq.heappush(self.waiting, (due, self.order, line.socket.fileno(), request))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            due, _order, place, request = heapq.heappop(self.waiting)
            self._next(self.lines[place], due, request)

    def _next(self, line: Line, due: float, request: bytes | None = None) -> None:
        if request is None:
            if self._over():
                return
            request = next(self.requests, None)
            if request is None:
                return
        self.under_way += 1
        try:
            line.ask(request, due=due)
        except ConnectionError:
            self._reconnect(line)

    def _over(self) -> bool:
        late = self.seconds and time.monotonic() > self.tally.started + self.seconds
        return bool(late or (self.stop and self.stop.is_set()))

    def _answered(self, line: Line) -> None:
        try:
            answer = line.hear()
        except ConnectionError:
            self._reconnect(line)
            return
        if answer is None:
            return
        now = self.heard = time.monotonic()
        self.under_way -= 1
        status = answer[9:12].decode()
        kind = status
        if status >= "400" and (code := CODE.search(answer)):
            kind = f"{status} {code[1].decode()}"
        self.tally.answers[kind] += 1
        self.tally.latencies.append(now - line.asked_at)
        self.tally.asked.append(line.asked_at)
        if status == "201":
            self.tally.won.append(now)
        if status == "503":  # as the answer asks: Retry-After is one second
            self._later(line, now + 1, line.request)
        elif self.every:
            self._later(line, max(line.asked_at + self.every, now))
        else:
            self._next(line, now)

    def _reconnect(self, line: Line) -> None:
        """The server hung up, which it may between two requests: the same request again, its key makes that safe."""
        self.tally.answers["hung up"] += 1
        self.under_way -= 1
        self.poll.unregister(line.socket)
        del self.lines[line.socket.fileno()]
        line.socket.close()
        line.connect()
        self._register(line)
        self._later(line, time.monotonic(), line.request)


def drive(
    port: int,
    requests: Callable[[int], Iterator[bytes]],
    *,
    connections: int,
    processes: int = 1,
    seconds: float | None = None,
    every: float | None = None,
    stop=None,
) -> Tally:
    """Run `connections` in `processes`; `requests(n)` yields what process n sends. The caller closed its database."""
    ready, results = FORK.Barrier(processes), FORK.Queue()
    share = connections // processes

    def work(place: int) -> None:
        driver = Driver(port, requests(place), connections=share, seconds=seconds, every=every, stop=stop)
        ready.wait()
        results.put(driver.run())

    children = [FORK.Process(target=work, args=(place,), daemon=True) for place in range(processes)]
    for child in children:
        child.start()
    tallies = [results.get(timeout=(seconds or LONGEST) + 2 * GIVE_UP) for _child in children]
    for child in children:
        child.join()
    return together(tallies)


def together(tallies: list[Tally]) -> Tally:
    return Tally(
        answers=sum((tally.answers for tally in tallies), Counter()),
        latencies=[each for tally in tallies for each in tally.latencies],
        asked=[each for tally in tallies for each in tally.asked],
        won=[each for tally in tallies for each in tally.won],
        started=min(tally.started for tally in tallies),
        ended=max(tally.ended for tally in tallies),
        cpu=sum(tally.cpu for tally in tallies),
    )
