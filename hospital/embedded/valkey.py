"""One Valkey (or Redis) of our own, on a unix socket: broker in database 0, cache in database 1.

It keeps nothing on disk. Whatever must not be lost is in PostgreSQL, and every job finds its own work.
"""

import signal
import socket
import subprocess
import time
from pathlib import Path

from hospital.embedded import processes
from hospital.embedded.accounts import Account
from hospital.embedded.errors import CannotStart

SECONDS_TO_START = 20
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "volatile-lru",  # cache entries go first, queued jobs have no time to live
}


class Valkey:
    """A server whose socket is in `sockets`."""

    def __init__(self, *, program: Path, origin: str, sockets: Path, account: Account | None):
        self.program = program
        self.origin = origin
        self.socket = sockets / "valkey.sock"
        self.account = account
        self.process: subprocess.Popen | None = None

    @property
    def broker_url(self) -> str:
        """For REDIS_URL, as Celery spells a socket."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        """For CACHE_URL, as redis-py (and so Django) spells it."""
        return f"unix://{self.socket}?db=1"

    def launch(self, log: Path) -> subprocess.Popen:
        """Start the process; it takes some milliseconds until it answers."""
        command = [str(self.program), "--unixsocket", str(self.socket), "--dir", str(self.socket.parent)]
        for name, value in SETTINGS.items():
            command += [f"--{name}", value]
        with log.open("ab") as file:
            self.process = processes.launch(
                command, log=file, death_signal=signal.SIGTERM, account=self.account, folder=self.socket.parent
            )
        return self.process

    def start(self, *, log: Path) -> None:
        """Start it and wait for its first answer."""
        self.launch(log)
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self.process.poll() is not None:
                code = processes.describe_exit(self.process.returncode)
                raise CannotStart(f"Valkey ended with {code}:\n{processes.last_lines(log)}")
            if time.monotonic() > deadline:
                raise CannotStart(f"Valkey does not answer after {SECONDS_TO_START} s; see {log}")
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to end; returns the exit code."""
        processes.ask(self.process, signal.SIGTERM)
        return processes.await_end(self.process, seconds=10)

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(2)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
