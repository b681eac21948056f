"""A small hospital of its own for tests that kill things: PostgreSQL, Redis, and the web as it really runs."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from hospital.embedded import processes
from hospital.embedded.folders import PROJECT
from hospital.embedded.servers import Servers
from tests import migrated

FROM_OUTSIDE = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "HOSPITAL_HOME", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS")
SECONDS_TO_ANSWER = 60  # for the slowest of machines; nothing is measured here


class House:
    """Started once for a file of tests; `stage` prepares schedules and people, `book` asks over HTTP."""

    def __init__(self, port: int):
        self.base = Path(tempfile.mkdtemp(prefix="hospital-house-"))
        self.base.chmod(0o711)
        self.port = port
        self.servers = Servers(base=self.base, name="house", for_tests=True)
        self.web: subprocess.Popen | None = None
        self.environment: dict[str, str] = {}

    def open(self) -> None:
        self.servers.prepare()
        self.servers.start()
        self.environment = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
        self.environment |= self.servers.environment() | {
            "HOSPITAL_DEMO": "1",
            "DJANGO_SETTINGS_MODULE": "hospital.settings",
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "WEB_GRACEFUL_SECONDS": "1",
            "LOG_LEVEL": "WARNING",
        }
        if not migrated.copy_into(self.servers.urls()["DATABASE_URL"], programs=self.servers.postgres.program.folder):
            self.manage("migrate", "--noinput", "-v0")

    def close(self) -> None:
        self.kill_web()
        self.servers.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def manage(self, *arguments: str) -> str:
        return self._run(str(PROJECT / "manage.py"), *arguments)

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stage(self, *, schedules: int, numbers: int, patients: int, letters: int = 0) -> dict:
        """{token, schedules, patients, partner}: once in a house, its codes begin at the beginning."""
        counts = map(str, (schedules, numbers, patients, letters))
        return json.loads(self._run("-m", "tests.faults.stage", *counts))

    def start_web(self) -> None:
        with (self.base / "web.log").open("ab") as log:
            self.web = processes.launch(
                [sys.executable, "-m", "gunicorn", "--config", str(PROJECT / "gunicorn.conf.py"), "hospital.wsgi"],
                log=log,
                death_signal=signal.SIGKILL,
                environment=self.environment,
                folder=PROJECT,
            )
        await_that(lambda: self.ask("/healthz/live").status == 200, because=lambda: self.log("web.log"))

    def kill_web(self) -> None:
        """kill -9 of gunicorn and its workers, in the middle of whatever they do."""
        if self.web and self.web.poll() is None:
            os.killpg(self.web.pid, signal.SIGKILL)  # a session of its own (processes.launch)
            self.web.wait()

    def crash_postgres(self) -> None:
        """Immediate shutdown: no goodbye to anybody, nothing written that was not committed."""
        postgres = self.servers.postgres
        postgres.process.send_signal(signal.SIGQUIT)
        postgres.process.wait()

    def start_postgres(self) -> None:
        self.servers.postgres.start(log=self.servers.log("postgres"))

    def log(self, name: str) -> str:
        return processes.last_lines(self.base / name, count=40)

    def ask(self, path: str, *, body: dict | None = None, headers: dict | None = None) -> "Answer":
        """Status 0: nobody answered."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as refusal:
            return Answer(refusal.code, dict(refusal.headers), refusal.read())
        except (OSError, http.client.HTTPException):  # cut off, also in the middle of an answer
            return Answer(0, {}, b"")

    def book(self, stage: dict, *, schedule: int, patient: int, key: str) -> "Answer":
        return self.act(stage, f"schedules/{schedule}/appointments/", body={"patient": patient}, key=key)

    def act(self, stage: dict, path: str, *, body: dict, key: str) -> "Answer":
        """As the program whose token the stage has."""
        headers = {"Authorization": f"Bearer {stage['token']}", "Idempotency-Key": key}
        return self.ask(f"/api/v1/{path}", body=body, headers=headers)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    content: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.content)


def await_that(condition, *, because=lambda: "") -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not condition():
        assert time.monotonic() < deadline, because()
        time.sleep(0.05)


@dataclass
class Clients:
    """People who each want one number and ask again, with the same key, until they have an answer that counts."""

    house: House
    stage: dict
    count: int
    booked: dict[int, int] = field(default_factory=dict)  # patient → appointment that we were told
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> "Clients":
        self._waiting = list(self.stage["patients"])
        self._threads = [threading.Thread(target=self._work) for _n in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error) -> None:
        for thread in self._threads:
            thread.join()

    def await_booked(self, count: int) -> None:
        await_that(lambda: len(self.booked) >= count, because=lambda: str([each.status for each in self.answers[-20:]]))

    def _work(self) -> None:
        while True:
            with contextlib.suppress(IndexError):
                self._insist(self._waiting.pop())
                continue
            return

    def _insist(self, patient: int) -> None:
        schedules = self.stage["schedules"]
        key, schedule = str(uuid4()), schedules[patient % len(schedules)]
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while time.monotonic() < deadline:
            answer = self.house.book(self.stage, schedule=schedule, patient=patient, key=key)
            self.answers.append(answer)
            if answer.status in (200, 201):
                self.booked[patient] = answer.json["appointment"]
                return
            if answer.status not in (0, 503):
                return
            time.sleep(0.1)
