"""Start a process that cannot outlive us, and end it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from hospital.embedded.accounts import Account

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def launch(
    command: list[str],
    *,
    log,
    death_signal: signal.Signals,
    account: Account | None = None,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen:
    """Start a direct child in a session of its own, out of reach of the terminal's Ctrl-C.

    death_signal is what the kernel sends it when we die, by whatever cause. The kernel watches the
    *thread* that forked: call this from the main thread only.
    """
    parent = os.getpid()

    def bind_to_parent():
        # after setuid, because a change of user clears the death signal
        if _PRCTL:
            _PRCTL(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=environment,
        start_new_session=True,
        preexec_fn=bind_to_parent,
        **(account.popen_arguments() if account else {}),
    )


def ask(process: subprocess.Popen, sign: signal.Signals) -> None:
    """Send a signal to a process that still lives."""
    if process.poll() is None:
        process.send_signal(sign)


def await_end(process: subprocess.Popen, *, seconds: float, insist=signal.SIGKILL) -> int:
    """Wait for a process that was asked to end, then insist; its exit code (negative: the signal)."""
    for sign in (insist, signal.SIGKILL):
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(sign)
    return process.wait()


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def last_lines(path: Path, count: int = 15) -> str:
    """The end of a log, for the person who has to find out why."""
    try:
        text = path.read_bytes()[-8000:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join("    " + line for line in text.splitlines()[-count:])
