"""`make demo` as a person meets it: started, stopped, killed, started twice, its database shot (X2).

Real processes throughout. Each demo has a data folder and a port of its own, and an empty hospital
(SCALE=none): seeding is tested elsewhere and takes its time.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from hospital.embedded.folders import PROJECT
from hospital.embedded.servers import Servers
from tests import migrated

pytestmark = pytest.mark.faults

SECONDS_TO_GO = 5  # after kill -9
COMMAND = [sys.executable, "-m", "hospital.embedded", "demo"]


class RunningDemo:
    """A demo under test: its process, what it prints, who belongs to it."""

    def __init__(self, home: Path, port: int, scale: str = "none"):
        self.home, self.port = home, port
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "CACHE_URL", "DJANGO_SETTINGS_MODULE", "ALLOWED_HOSTS"}
        } | {"HOSPITAL_HOME": str(home), "PORT": str(port), "SCALE": scale}
        self.output = (home / "terminal").open("a+")
        self.process: subprocess.Popen | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self) -> "RunningDemo":
        self.output.truncate(0)
        self.process = subprocess.Popen(
            COMMAND, cwd=PROJECT, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT
        )
        return self

    def start(self) -> "RunningDemo":
        self.launch()
        await_that(lambda: not self.running or "Ctrl-C ends it" in self.printed(), seconds=240, because=self.printed)
        assert self.running, self.printed()
        return self

    def printed(self) -> str:
        return (self.home / "terminal").read_text()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()


def await_that(condition, *, seconds: float, because=lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, because()
        time.sleep(0.1)


def alive(processes: list[psutil.Process]) -> list[str]:
    """Who of them still runs. A zombie does not."""
    left = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                left.append(" ".join(process.cmdline()))
    return left


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


@pytest.fixture
def home():
    base = Path(tempfile.mkdtemp(prefix="hospital-demo-"))
    base.chmod(0o711)
    yield base
    shutil.rmtree(base)


@pytest.fixture(scope="module")
def shared_demo(django_db_modify_db_settings, django_db_blocker):
    """One data folder for the tests of a running demo. Its tables are a copy of the tests' own, which the same
    migrations made: the demo finds nothing left to migrate."""
    base = Path(tempfile.mkdtemp(prefix="hospital-demo-"))
    base.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
            patch.delenv(name, raising=False)
        with_tables(base)
    demo = RunningDemo(base, free_port())
    yield demo
    if demo.running:
        demo.process.kill()
        demo.process.wait()
    demo.output.close()
    shutil.rmtree(base, ignore_errors=True)


def with_tables(base: Path) -> None:
    """The keys and the cluster that the demo would make; where these programs can't copy, it migrates by itself."""
    servers = Servers(base=base, name="demo")
    try:
        servers.prepare()
        servers.start()
        servers.environment()
        migrated.copy_into(servers.urls()["DATABASE_URL"], programs=servers.postgres.program.folder)
    finally:
        servers.stop()


@pytest.fixture
def demo(shared_demo):
    """A running one: the one that the test before left, or a fresh start on the same data."""
    return shared_demo if shared_demo.running else shared_demo.start()


def test_a_second_start_is_told_where_the_first_is(demo):
    second = subprocess.run(COMMAND, cwd=PROJECT, env=demo.environment, capture_output=True, text=True, timeout=30)

    assert second.returncode == 1
    assert f"already running: http://127.0.0.1:{demo.port} (process {demo.process.pid})" in second.stderr
    assert demo.get("/healthz/live") == (200, "ok\n")
    assert demo.get("/")[0] == 200


def test_redis_and_the_worker_come_back_when_killed_and_the_site_stays_ready(demo):
    await_that(lambda: health(demo) == ["ok"] * 5, seconds=30, because=lambda: demo.get("/healthz/ready")[1])
    redis = next(child for child in demo.children() if "valkey" in child.name() or "redis" in child.name())
    worker = next(child for child in demo.children() if "worker" in child.cmdline())
    pool = worker.children(recursive=True)

    redis.kill()
    status, body = demo.get("/healthz/ready")
    assert (status, json.loads(body)["status"], json.loads(body)["redis"]) == (200, "degraded", {"status": "degraded"})
    assert json.loads(body)["worker"] == {"status": "unknown", "age_seconds": None}

    worker.kill()
    await_that(lambda: not alive(pool), seconds=SECONDS_TO_GO, because=lambda: str(alive(pool)))
    await_that(lambda: health(demo) == ["ok"] * 5, seconds=40, because=lambda: demo.get("/healthz/ready")[1])
    assert "redis ended (killed by SIGKILL); starts again in 1 s" in demo.printed()
    assert "worker ended (killed by SIGKILL); starts again in 1 s" in demo.printed()


def test_a_killed_postgres_ends_the_rest_with_an_error_and_the_next_start_recovers(demo):
    family = demo.family()
    postgres = next(child for child in demo.children() if child.name() == "postgres")

    postgres.kill()

    assert demo.process.wait(30) == 1
    assert "PostgreSQL ended (killed by SIGKILL)" in demo.printed()
    await_that(lambda: not alive(family), seconds=SECONDS_TO_GO, because=lambda: str(alive(family)))

    demo.start()
    assert json.loads(demo.get("/healthz/ready")[1])["database"]["status"] == "ok"


def test_kill_9_of_the_supervisor_leaves_nothing_running(demo):
    family = demo.family()
    assert len(family) >= 8  # postgres and its own, redis, web and 2, beat, worker and 2

    demo.process.kill()
    demo.process.wait()

    await_that(lambda: not alive(family), seconds=SECONDS_TO_GO, because=lambda: str(alive(family)))


def test_ctrl_c_ends_everything_well_in_order(demo):
    await_that(lambda: health(demo) == ["ok"] * 5, seconds=60, because=lambda: demo.get("/healthz/ready")[1])
    assert_ctrl_c_ends_everything_well(demo)


def test_ctrl_c_while_worker_and_beat_still_read_their_code_ends_everything_well(demo):
    assert_ctrl_c_ends_everything_well(demo)


def assert_ctrl_c_ends_everything_well(demo):
    family = demo.family()

    demo.process.send_signal(signal.SIGINT)

    assert demo.process.wait(30) == 0, demo.printed()
    assert alive(family) == []
    names = [line.split()[-2] for line in demo.printed().splitlines() if line.endswith(" ended")]
    assert names == ["gateway", "insurance", "finance", "web", "beat", "worker", "redis", "postgres"]


def health(demo) -> list[str]:
    answer = json.loads(demo.get("/healthz/ready")[1])
    return [answer["status"], *(answer[name]["status"] for name in ("database", "redis", "worker", "beat"))]


def test_a_taken_port_is_said_before_anything_starts(home):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        demo = RunningDemo(home, door.getsockname()[1]).launch()
        assert demo.process.wait(30) == 1

    assert f"Port {demo.port} of 127.0.0.1 is taken" in demo.printed()
    assert "PostgreSQL" not in demo.printed()
    demo.output.close()


def test_a_scale_that_does_not_exist_is_refused_by_name(home):
    demo = RunningDemo(home, free_port(), scale="huge").launch()

    assert demo.process.wait(60) == 1
    assert "SCALE must be one of small, large, none, not 'huge'." in demo.printed()
    demo.output.close()
