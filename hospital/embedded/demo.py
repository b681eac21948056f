"""`make demo`: PostgreSQL, Redis, migrations, the demo hospital, web, worker, beat and simulators, until Ctrl-C.

A Redis, worker, beat or web process that dies is started again: bookings go on meanwhile. Without
PostgreSQL there is no hospital: everything ends with an error, and the next start recovers.
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path

from hospital.embedded import accounts, address, folders, keys, processes, simulators, steps
from hospital.embedded.errors import CannotStart
from hospital.embedded.folders import PROJECT
from hospital.embedded.keep import Kept
from hospital.embedded.servers import Servers

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WEB = ["gunicorn", "--config", str(PROJECT / "gunicorn.conf.py"), "hospital.wsgi:application"]
CELERY = ["celery", "-A", "hospital"]
WORKER = [*CELERY, "worker", "--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=INFO"]
BEAT = [*CELERY, "beat", "--pidfile=", "--loglevel=INFO"]
SCALES = ("small", "large", "none")
ENDED_WELL = (0, -signal.SIGTERM)  # a process still reading its code has no handler for our SIGTERM yet
SECONDS_TO_END = 15  # for web, beat and worker; requests under way have 5 of them


class StopRequested(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal, raised wherever we are."""


def main() -> int:
    """Start everything and stay; 0 if we were asked to end and all ended well."""
    base = folders.home()
    demo = Demo(base)
    lock = folders.Lock(base / "demo.lock")
    lock.acquire(address=address.url())
    for sign in STOP_SIGNALS:
        signal.signal(sign, _request_stop)
    failed = False
    try:
        demo.start()
        lock.write(address=address.url(), urls=demo.servers.urls())
        demo.stay()
    except StopRequested:
        print("\nStopping …", flush=True)
    except CannotStart as problem:
        failed = True
        print(f"\n{problem}", file=sys.stderr, flush=True)
    finally:
        for sign in STOP_SIGNALS:
            signal.signal(sign, signal.SIG_IGN)
        ended_well = demo.stop()
        lock.release()
    return 0 if ended_well and not failed else 1


def _request_stop(_number, _frame):
    raise StopRequested


class Demo:
    """Everything that belongs to one running demo."""

    def __init__(self, base):
        self.began = time.monotonic()
        self.base = base
        self.scale = os.environ.get("SCALE") or "small"
        if self.scale not in SCALES:
            raise CannotStart(f"SCALE must be one of {', '.join(SCALES)}, not {self.scale!r}.")
        self.servers = Servers(base=base, name="demo")
        self.environment: dict[str, str] = {}
        self.account: accounts.Account | None = None  # of web, worker and beat; None: our own
        self.steps: list[steps.Step] = []
        self.application: list[Kept] = []  # simulators, web, beat, worker
        self.simulated: list[str] = []  # a line about each
        self.redis: Kept | None = None  # if it is ours

    def say(self, what: str) -> None:
        """One line of progress, with the seconds since the start."""
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)

    def start(self) -> None:
        """From nothing to the first page."""
        self.say(f"data folder {self.base}")
        address.await_free()
        self._start_servers()
        self.environment = self._environment()
        static = self._begin("static files", ["collectstatic", "--noinput"])
        migrations = self._begin("migrations", ["migrate", "--noinput"])
        seeding = self._begin_seeding()
        migrations.wait(self.say)
        static.wait(self.say)
        self._choose_account()
        self._start_simulators()
        self.application.append(self._keep("web", WEB))  # it reads its code while the hospital is filled
        people = self._seed(seeding) if seeding else "An empty hospital: manage.py import_hospital reads your workbook."
        address.await_first_page(still_there=self._check)
        self.say("first page")
        self._start_jobs()
        self._greet(people)

    def stay(self) -> None:
        """Until we are told to stop; raises CannotStart when what runs can't be kept running."""
        while True:
            self._check()
            time.sleep(0.2)

    def stop(self) -> bool:
        """Web, beat and worker (or a step half done) first, then Redis, then PostgreSQL; whether all ended well."""
        living = {step.name: step.process for step in self.steps if step.process.poll() is None}
        living |= {kept.name: kept.process for kept in self.application if kept.process}
        for process in living.values():
            processes.ask(process, signal.SIGTERM)
        codes = {name: processes.await_end(process, seconds=SECONDS_TO_END) for name, process in living.items()}
        codes |= self.servers.stop()
        badly = {name: code for name, code in codes.items() if code not in ENDED_WELL}
        for name in codes:
            self.say(f"{name} ended" + (f": {processes.describe_exit(badly[name])}" if name in badly else ""))
        return not badly

    def _start_servers(self) -> None:
        self.servers.prepare()
        if self.servers.postgres:
            keys.refuse_if_lost(self.base, data=self.servers.postgres.data)
        if not self.servers.workplace.is_relative_to(self.base):
            self.say(f"servers' data {self.servers.workplace.parent}, where their account can enter")
        self.servers.start()
        postgres, valkey = self.servers.postgres, self.servers.valkey
        self.say(f"PostgreSQL {postgres.program.major}, {postgres.program.origin}" if postgres else "your DATABASE_URL")
        if valkey:
            log = self.servers.log("redis")
            self.redis = Kept(name="redis", launch=lambda: valkey.launch(log), log=log, process=valkey.process)
        self.say(f"Redis: {valkey.program.name}, {valkey.origin}" if valkey else "your REDIS_URL")

    def _environment(self) -> dict[str, str]:
        """For every process of the application; the caller's settings win where they may."""
        defaults = {"ALLOWED_HOSTS": f"127.0.0.1,localhost,[::1],{address.host()},{socket.gethostname()}"}
        ours = {
            "DJANGO_SETTINGS_MODULE": "hospital.settings",
            "HOSPITAL_DEMO": "1",
            "WEB_BIND": f"{address.host()}:{address.port()}",
            "WEB_GRACEFUL_SECONDS": "5",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore::UserWarning:celery.platforms",  # on a worker of root's, at length
        }
        return defaults | os.environ | self.servers.environment() | simulators.settings(self.base) | ours

    def _log(self, name: str):
        return folders.log_file(self.base, name)

    def _begin(self, name: str, arguments: list[str]) -> steps.Step:
        step = steps.begin(name, arguments, environment=self.environment, log=self._log(arguments[0]))
        self.steps.append(step)
        return step

    def _begin_seeding(self) -> steps.Step | None:
        """It reads its code while the database is migrated; None when an empty hospital was asked for."""
        if self.scale == "none":
            return None
        files = ["--after", str(self._migrated), "--accounts", str(self._log("demo_accounts"))]
        return self._begin("demo hospital", ["seed_demo", "--scale", self.scale, *files])

    def _seed(self, seeding: steps.Step) -> str:
        """Fill the hospital with the demo's people and days; how one signs in."""
        seeding.begins_now()
        self._migrated.touch()
        seeding.wait(self.say)
        return self._log("demo_accounts").read_text(encoding="utf-8")

    @property
    def _migrated(self) -> Path:
        return self.servers.workplace / "migrated"

    def _choose_account(self) -> None:
        """Web and jobs run under the servers' account if root started us and it can read interpreter and code."""
        account = self.servers.account
        files = [str(self.base / "static" / "staticfiles.json"), str(PROJECT / "manage.py")]
        probe = f"import django, celery, gunicorn; [open(path).close() for path in {files!r}]"
        if account and accounts.succeeds(account, [sys.executable, "-c", probe]):
            self.account = account
            self.environment["HOME"] = str(self.servers.workplace)

    def _start_simulators(self) -> None:
        """Before the hospital is filled: what the demo has paid, they must have been told."""
        wanted, files = simulators.wanted(), []
        for simulator, port in zip(wanted, simulators.free_ports(len(wanted)), strict=True):
            folder = simulators.folder_of(simulator, base=self.base, account=self.account)
            files.append(folder / simulator.file)
            files[-1].unlink(missing_ok=True)
            self.application.append(self._keep(simulator.name, simulator.command(folder, port)))
            self.simulated.append(f"http://{simulators.shown()}:{port}/  {simulator.about}")
        while not all(file.exists() for file in files):  # each writes its file when it listens
            self._check()
            time.sleep(0.1)

    def _start_jobs(self) -> None:
        """Only now: they find their own work, and a hospital half filled has none for them yet."""
        beat = [*BEAT, f"--schedule={self.servers.workplace / 'beat'}"]
        self.application += [self._keep("beat", beat), self._keep("worker", WORKER)]

    def _keep(self, name: str, module: list[str]) -> Kept:
        """Start a process of the application and keep it.

        It dies at once if we are killed: PostgreSQL and Redis go at the same moment, so nothing could end well.
        """
        log = self._log(name)

        def launch():
            with log.open("ab") as file:
                return processes.launch(
                    [sys.executable, "-m", *module],
                    log=file,
                    death_signal=signal.SIGKILL,
                    environment=self.environment,
                    account=self.account,
                    folder=PROJECT,
                )

        return Kept(name=name, launch=launch, log=log, process=launch())

    def _check(self) -> None:
        """One look at everything: start again what may be, give up without PostgreSQL."""
        postgres = self.servers.postgres
        if postgres and postgres.process.poll() is not None:
            how = processes.describe_exit(postgres.process.returncode)
            raise CannotStart(f"PostgreSQL ended ({how}). Everything else ends too; the next start recovers the data.")
        for kept in [*self.application, *([self.redis] if self.redis else [])]:
            kept.check(self.say)

    def _greet(self, people: str) -> None:
        places = [f"{address.url()}/", f"{address.url()}/healthz/ready", *self.simulated]
        print(f"\n{people.rstrip()}\n")
        print("".join(f"  {place}\n" for place in places) + f"\n  logs: {self.base / 'log'}", flush=True)
        print("  Ctrl-C ends it.\n", flush=True)
