"""One PostgreSQL of our own: data in a folder of ours, reachable by a unix socket only."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2

from hospital.embedded import binaries, processes
from hospital.embedded.accounts import Account
from hospital.embedded.errors import CannotStart

DATABASE = ROLE = "hospital"
SECONDS_TO_START = 90  # a recovery after a crash reads up to max_wal_size of log
SECONDS_TO_LEAVE = 20  # of a predecessor that was told to stop when its parent died

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # a container's small /dev/shm breaks parallel hash joins
    "timezone": "UTC",
    "log_timezone": "UTC",
    # a failing statement and its DETAIL carry names and phones: neither belongs in a log
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
# Tests may lose data when the machine loses power, but not when a process is killed: that needs
# synchronous_commit, which stays on.
FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "autovacuum_naptime": "10min"}


class Postgres:
    """A cluster in `folder`, its sockets in `sockets`; safe data unless `for_tests`."""

    def __init__(
        self, *, program: binaries.Postgres, folder: Path, sockets: Path, account: Account | None, for_tests: bool
    ):
        self.program = program
        self.data = folder / f"postgres-{program.major}"
        self.sockets = sockets
        self.account = account
        self.settings = SETTINGS | (FOR_TESTS if for_tests else {})
        self.for_tests = for_tests
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """For DATABASE_URL. The folder stands where a host would, percent-encoded."""
        return f"postgres://{ROLE}@{quote(str(self.sockets), safe='')}/{DATABASE}"

    def start(self, *, log: Path) -> None:
        """Start it, make the cluster and the database first if there are none."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise(log)
        _await_predecessor(self.data / "postmaster.pid")
        command = [str(self.program.folder / "postgres"), "-D", str(self.data), "-k", str(self.sockets)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with log.open("ab") as file:
            self.process = processes.launch(
                command, log=file, death_signal=signal.SIGINT, account=self.account, folder=self.data
            )
        self._await_ready(log)
        self._make_database()

    def stop(self) -> int:
        """Fast shutdown: sessions end, everything is written. Returns the exit code."""
        processes.ask(self.process, signal.SIGINT)
        return processes.await_end(self.process, seconds=30, insist=signal.SIGQUIT)

    def _initialise(self, log: Path) -> None:
        """initdb into a draft that is renamed when done: a killed initdb never passes for a cluster.

        The locale is C.UTF-8: with plain C, pg_trgm sees no Chinese characters, silently.
        """
        draft = self.data.with_name(f"{self.data.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        command = [str(self.program.folder / "initdb"), "-D", str(draft), "--username=postgres", "--auth=trust"]
        command += ["--locale=C.UTF-8", "--encoding=UTF8", *(["--no-sync"] if self.for_tests else [])]
        with log.open("ab") as file:
            made = processes.launch(
                command, log=file, death_signal=signal.SIGTERM, account=self.account, folder=draft.parent
            )
            code = made.wait()
        if code:
            raise CannotStart(f"initdb ended with {processes.describe_exit(code)}:\n{processes.last_lines(log)}")
        draft.rename(self.data)

    def _await_ready(self, log: Path) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            if self.process.poll() is not None:
                raise CannotStart(
                    f"PostgreSQL ended with {processes.describe_exit(self.process.returncode)}:\n"
                    + processes.last_lines(log)
                )
            try:
                self._connect().close()
                return
            except psycopg2.OperationalError as refused:
                if time.monotonic() > deadline:
                    raise CannotStart(f"PostgreSQL does not answer after {SECONDS_TO_START} s: {refused}") from None
                time.sleep(0.05)

    def _connect(self):
        return psycopg2.connect(host=str(self.sockets), user="postgres", dbname="postgres", connect_timeout=5)

    def _make_database(self) -> None:
        """The application's role is no superuser: what works here works on a hospital's own server."""
        with contextlib.closing(self._connect()) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
            if not cursor.fetchone():
                cursor.execute(
                    f"CREATE ROLE {ROLE} LOGIN CREATEDB IN ROLE pg_monitor, pg_checkpoint, pg_signal_backend"
                )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
            if self.for_tests:  # which empty tables between one another without waking their triggers
                cursor.execute(f"GRANT SET ON PARAMETER session_replication_role TO {ROLE}")


def _await_predecessor(pid_file: Path) -> None:
    """Wait for a server whose parent was killed to finish; drop a pid file that means someone else.

    In a container the same small numbers come again after each start, and PostgreSQL would take
    any process of that number for itself.
    """
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while pid := _pid_in(pid_file):
        command = _command_of(pid)
        if command is None:
            return  # gone; PostgreSQL knows what to do with the file
        if "postgres" not in command:
            pid_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise CannotStart(f"Another PostgreSQL (process {pid}) still uses {pid_file.parent}. Stop it first.")
        time.sleep(0.1)


def _pid_in(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _command_of(pid: int) -> str | None:
    """The command line of a living process, None if there is none of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
        if status.rpartition(")")[2].split()[0] == "Z":
            return None
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else "postgres"
