"""Both servers as one context: whatever URL is missing gets a server of ours."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hospital.embedded import accounts, binaries, folders, keys
from hospital.embedded.errors import AlreadyRunning
from hospital.embedded.postgres import Postgres
from hospital.embedded.valkey import Valkey


class Servers:
    """What was started; a server stays None when its URL was given from outside."""

    def __init__(self, *, base: Path, name: str, for_tests: bool = False):
        self.base = base
        self.name = name
        self.for_tests = for_tests
        self.account = accounts.for_servers()
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.workplace: Path | None = None  # a folder of this start that the servers' account may write to
        self._open = contextlib.ExitStack()

    def prepare(self) -> None:
        """Find the programs and make the folders; starts nothing."""
        store = folders.servers_folder(self.base, self.account)
        cluster = folders.own_folder(store / self.name, self.account)
        sockets = self._open.enter_context(folders.socket_folder(cluster, self.account))
        self.workplace = sockets
        if not os.environ.get("DATABASE_URL"):
            program = binaries.find_postgres(store=store, account=self.account)
            self.postgres = Postgres(
                program=program, folder=cluster, sockets=sockets, account=self.account, for_tests=self.for_tests
            )
        if not os.environ.get("REDIS_URL"):
            program, origin = binaries.find_redis(store=store, account=self.account)
            self.valkey = Valkey(program=program, origin=origin, sockets=sockets, account=self.account)

    def start(self) -> None:
        """Start what is needed, PostgreSQL first."""
        for name, server in (("postgres", self.postgres), ("redis", self.valkey)):
            if server:
                server.start(log=self.log(name))

    def log(self, name: str) -> Path:
        """Where a server of this cluster writes."""
        return folders.log_file(self.base, f"{self.name}-{name}")

    def stop(self) -> dict[str, int]:
        """Stop Redis, then PostgreSQL; exit codes by name."""
        codes = {}
        for name, server in (("redis", self.valkey), ("postgres", self.postgres)):
            if server and server.process:
                codes[name] = server.stop()
        self._open.close()
        return codes

    def urls(self) -> dict[str, str]:
        """The URLs of what we started."""
        urls = {}
        if self.postgres:
            urls["DATABASE_URL"] = self.postgres.url
        if self.valkey:
            urls |= {"REDIS_URL": self.valkey.broker_url, "CACHE_URL": self.valkey.cache_url}
        return urls

    def environment(self) -> dict[str, str]:
        """What Django's settings need: the data folder, the keys and the URLs."""
        return {"HOSPITAL_HOME": str(self.base), **keys.of(self.base), **self.urls()}


@contextlib.contextmanager
def running(*, name: str, for_tests: bool = False) -> Iterator[Servers]:
    """The servers of one cluster while the block runs.

    The cluster's data stays for the next time. When another process uses it, this one gets an
    empty cluster of its own in a temporary folder.
    """
    base = folders.home()
    with contextlib.ExitStack() as stack:
        lock = folders.Lock(base / f"{name}.lock")
        try:
            lock.acquire()
            stack.callback(lock.release)
        except AlreadyRunning:
            base = Path(tempfile.mkdtemp(prefix="hospital-"))
            base.chmod(0o711)  # the servers' account passes through; their own folder is closed
            stack.callback(shutil.rmtree, base, ignore_errors=True)
        servers = Servers(base=base, name=name, for_tests=for_tests)
        stack.callback(servers.stop)
        servers.prepare()
        servers.start()
        yield servers
