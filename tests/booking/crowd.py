"""Many at once, for real: threads or processes, each with a database connection of its own, started together."""

import multiprocessing
import os
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep

from django.db import connection, connections

from appointments.errors import Busy
from appointments.models import Appointment
from hospital.errors import Refused
from tests.booking.acts import take as take_once

Act = Callable[[], object]
PATIENCE = 60  # seconds for a barrier: only a broken test waits that long


def _attempt(act: Act):
    """A refusal is an answer; anything else is an error of ours."""
    try:
        return act()
    except Refused as refusal:
        return refusal


class Crowd:
    """`size` people with a connection each, for as many rounds as wanted."""

    def __init__(self, size: int):
        self.size = size
        self._people = ThreadPoolExecutor(size)

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_error) -> None:
        self._at_once([connection_closed] * self.size)
        self._people.shutdown()

    def at_once(self, *acts: Act) -> list:
        """What each of them got, in order: a value or a refusal."""
        return self._at_once(list(acts))

    def begin(self, act: Act):
        """Somebody starts and may have to wait: a future of what they get."""
        return self._people.submit(_attempt, act)

    def _at_once(self, acts: list[Act]) -> list:
        gate = threading.Barrier(len(acts))

        def person(act):
            gate.wait(PATIENCE)
            return _attempt(act)

        return list(self._people.map(person, acts))


def await_waiting(count: int) -> None:
    """Until so many connections of this database wait for somebody else's lock."""
    deadline = monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
            assert monotonic() < deadline, "nobody waits"
            sleep(0.01)


def connection_closed() -> None:
    connection.close()


def in_processes(acts: list[Act]) -> list:
    """One operating-system process per act, forked from here; their answers in order. Answers must be plain values."""
    connections.close_all()  # a forked socket must not be shared
    context = multiprocessing.get_context("fork")
    gate, answers = context.Barrier(len(acts)), context.SimpleQueue()

    def person(place: int, act: Act) -> None:
        try:
            _forget_inherited_sockets()
            gate.wait(PATIENCE)
            answers.put((place, act()))
        except BaseException:
            answers.put((place, traceback.format_exc()))
        finally:
            connections.close_all()
            os._exit(0)  # nothing of the test runner's may run in a child

    children = [context.Process(target=person, args=(place, act)) for place, act in enumerate(acts)]
    for child in children:
        child.start()
    told = dict(answers.get() for _child in children)
    for child in children:
        child.join()
    return [told[place] for place in range(len(acts))]


def _forget_inherited_sockets() -> None:
    """Once Playwright's loop has run in this thread, asgiref hides the connections made before it from close_all(),
    but a fork has no loop and finds them again: twenty children would talk on one socket."""
    for each in connections.all(initialized_only=True):
        each.connection = None  # psycopg2 leaves a socket alone that another process opened


def take(*args, **more):
    """As a client does: a 503 means come back, on a machine that is busy with other things too."""
    for _time in range(20):
        with suppress(Busy):
            return take_once(*args, **more)
    raise AssertionError("busy for ever")


def won(answers):
    return [answer for answer in answers if isinstance(answer, Appointment)]


def kinds(answers):
    return Counter(type(answer) for answer in answers)
