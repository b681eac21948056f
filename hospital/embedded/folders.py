"""The data folder, its lock, and the places inside it.

HOSPITAL_HOME/
    secrets.env       keys of this installation, 0600
    log/              one file a process
    <name>.lock       who uses the cluster of that name (demo, test, bench)
    servers/          0700, owned by the account of the servers
        <name>/       postgres-18/ (the data), run-*/ (sockets of one start)
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from hospital.embedded import accounts
from hospital.embedded.errors import AlreadyRunning

PROJECT = Path(__file__).resolve().parents[2]
SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, less the closing zero
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")
LOG_LIMIT = 10 * 1024 * 1024  # bytes after which a log moves to .1 at the next start


def home() -> Path:
    """HOSPITAL_HOME, made if missing."""
    folder = Path(os.environ.get("HOSPITAL_HOME") or PROJECT / "var").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def servers_folder(base: Path, account: accounts.Account | None) -> Path:
    """Where the servers' data lives: below the data folder unless their account can't get there.

    A clone in root's home is such a case: /root is closed to everyone else, and opening it would be worse than
    keeping the data elsewhere.
    """
    folder = base / "servers"
    if not accounts.can_enter(account, base):
        mark = hashlib.sha256(str(base).encode()).hexdigest()[:8]
        folder = Path(f"/var/lib/hospital-{mark}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    accounts.hand_over(folder, account)
    return folder


def own_folder(folder: Path, account: accounts.Account | None) -> Path:
    """A folder that only the servers' account (and root) can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    accounts.hand_over(folder, account)
    return folder


@contextlib.contextmanager
def socket_folder(cluster: Path, account: accounts.Account | None):
    """A fresh 0700 folder for the sockets of one start.

    Fresh, because a server of a killed start may still be going and would remove the new socket on
    its way out. In the temporary folder where the path would be too long for a socket.
    """
    for left in cluster.glob("run-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=cluster))
    if len(os.fsencode(folder)) + LONGEST_SOCKET_NAME > SOCKET_PATH_LIMIT:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="hospital-", dir="/tmp"))
    accounts.hand_over(folder, account)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def log_file(base: Path, name: str) -> Path:
    """The log of one process; a large one moves aside so that it can't fill the disk unseen."""
    folder = base / "log"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path


class Lock:
    """One process per cluster. The kernel lets go of it however that process ends."""

    def __init__(self, path: Path):
        self.path = path
        self.file = None

    def acquire(self, **note) -> None:
        """Take the lock and leave a note for whoever comes second. Raises AlreadyRunning."""
        self.file = self.path.open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise AlreadyRunning(_read_note(self.path)) from None
        os.chmod(self.path, 0o600)
        self.write(**note)

    def write(self, **note) -> None:
        """Replace the note; the file keeps its inode, which is what the lock hangs on."""
        self.file.seek(0)
        self.file.truncate()
        json.dump({"pid": os.getpid(), **note}, self.file)
        self.file.flush()

    def release(self) -> None:
        """Let the next one in."""
        self.file.truncate(0)
        self.file.close()


def note_of_holder(path: Path) -> dict | None:
    """The note of a living holder of the lock; None if nobody holds it."""
    lock = Lock(path)
    try:
        lock.acquire()
    except AlreadyRunning as held:
        return held.note
    lock.release()
    return None


def _read_note(path: Path) -> dict:
    """What the holder of a lock wrote; empty while it is writing."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
