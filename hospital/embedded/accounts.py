"""Which account the servers run under.

PostgreSQL refuses to run as root, so root hands the servers to an account without rights. An
ordinary user runs everything as themselves.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hospital.embedded.errors import CannotStart

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account that root can start processes as."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict:
        """What subprocess needs to start a process under this account, with no other group."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def for_servers() -> Account | None:
    """The account for the servers, or None for "the one we have already"."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise CannotStart(
        "PostgreSQL does not run as root and this machine has neither an account named "
        "postgres nor nobody. Start as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def succeeds(account: Account | None, command: list[str]) -> bool:
    """Whether a command ends well under the account: the only honest test of "can it reach this"."""
    as_whom = account.popen_arguments() if account else {}
    try:
        run = subprocess.run(command, cwd="/", capture_output=True, timeout=30, check=False, **as_whom)
    except (OSError, subprocess.SubprocessError):
        return False
    return run.returncode == 0


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether the account reaches a folder: one closed parent is enough to lock it out."""
    return account is None or succeeds(account, [shutil.which("test") or "/usr/bin/test", "-x", str(folder)])


def hand_over(path: Path, account: Account | None) -> None:
    """Give a file or folder to the account (only root can, only root needs to)."""
    if account:
        os.chown(path, account.uid, account.gid)
