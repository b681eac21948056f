"""Real servers and processes for the tests that kill them: a Valkey, a Celery worker, beat, a program that books."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import psycopg2
from django.db import connection

from hospital.embedded import binaries
from hospital.embedded.folders import PROJECT


def await_that(condition, *, seconds: float, because: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {because}"
        time.sleep(0.01)


class Redis:
    """A Valkey of our own on a unix socket, with nothing on disk."""

    def __init__(self, folder: Path):
        self.program, _origin = binaries.find_redis(store=folder, account=None)
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "REDIS_URL": f"redis+socket://{self.socket}?virtual_host=0",
            "CACHE_URL": f"unix://{self.socket}?db=1",
        }

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        command = [str(self.program), *options, "--dir", str(self.socket.parent)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        await_that(self.socket.exists, seconds=20, because="valkey")

    def signal(self, sign: signal.Signals) -> None:
        self.process.send_signal(sign)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.socket.unlink(missing_ok=True)


class Jobs:
    """Worker and beat on the test database, under the hospital's own settings with beat in a hurry (quick.py)."""

    def __init__(self, *, folder: Path, redis: Redis):
        self.folder = folder
        self.environment = {
            **os.environ,
            **redis.environment,
            "DJANGO_SETTINGS_MODULE": "tests.faults.quick",
            "DATABASE_URL": database_url(),
            "HOSPITAL_HOME": str(folder),
        }
        self.processes: list[subprocess.Popen] = []

    def worker(self) -> subprocess.Popen:
        return self._start("worker", "--concurrency=2", "--without-gossip", "--without-mingle")

    def beat(self) -> subprocess.Popen:
        return self._start("beat", "--pidfile=", f"--schedule={self.folder}/beat")

    def _start(self, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "hospital", *arguments]
        with (self.folder / "celery.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def book(self, schedule: int, patients: list[int], token: str) -> dict:
        """A web process that books for these patients one by one and confirms: what it answered and how long."""
        return self._web("tests.faults.booker", schedule, token, *patients)

    def send(self, letters: list[int], token: str) -> dict:
        """A web process that sends these referrals."""
        return self._web("tests.faults.sender", token, *letters)

    def _web(self, module: str, *said) -> dict:
        command = [sys.executable, "-m", module, *map(str, said)]
        plain_static = {**self.environment, "DEBUG": "1"}  # pages without collected static files
        run = subprocess.run(command, cwd=PROJECT, env=plain_static, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout.splitlines()[-1])

    def stop(self) -> None:
        for process in self.processes:
            kill_family(process)
        _onlooker.cache_clear()  # and is closed with it


def kill_family(process: subprocess.Popen) -> None:
    """kill -9 of a worker and all its children at once: no chance to say goodbye."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def database_url() -> str:
    """Of the test's database, which the other processes share."""
    server, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"


def ask(sql: str, *values):
    """One row by another connection: what is really there, not what this process believes."""
    with _onlooker(connection.settings_dict["NAME"]).cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
        return row[0] if len(row) == 1 else row


@cache
def _onlooker(database: str):
    """Kept: a connection for each question, a hundred times a second, takes half of what the worker needs."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password")
    watching = psycopg2.connect(dbname=database, **{name: parameters[name] for name in names if name in parameters})
    watching.autocommit = True
    return watching
