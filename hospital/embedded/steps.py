"""One `manage.py` command of the start: its progress, its time, and its log when it fails."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from hospital.embedded import bar, processes
from hospital.embedded.errors import CannotStart
from hospital.embedded.folders import PROJECT

PATIENCE = 5  # seconds between two signs of life of a long step
REDRAW = 0.5  # where its line is drawn anew


@dataclass
class Step:
    """A running command."""

    name: str
    process: subprocess.Popen
    log: Path
    began: float = field(default_factory=time.monotonic)

    def begins_now(self) -> None:
        """It has waited for others until here."""
        self.began = time.monotonic()

    def wait(self, say) -> None:
        """Until it is done; says so with its seconds. Raises CannotStart with the end of its log."""
        terminal = sys.stdout.isatty()
        while True:
            try:
                code = self.process.wait(REDRAW if terminal else PATIENCE)
                break
            except subprocess.TimeoutExpired:
                self._live(say, terminal=terminal)
        if terminal:
            print("\r\x1b[2K", end="", flush=True)
        if code:
            how = processes.describe_exit(code)
            raise CannotStart(f"{self.name} failed ({how}); {self.log} ends with:\n{processes.last_lines(self.log)}")
        say(f"{self.name} ({time.monotonic() - self.began:.1f} s)")

    def _live(self, say, *, terminal: bool) -> None:
        """A sign of life: the latest line of the log, with a bar where it says how far it is."""
        latest = processes.last_lines(self.log, count=1).strip()
        seconds = time.monotonic() - self.began
        if not terminal:
            say(f"  … {self.name}, {seconds:.0f} s so far. {latest}".rstrip())
        elif bar.LINE.match(latest):
            print(bar.redrawn(latest), end="", flush=True)
        elif seconds > PATIENCE:
            print(bar.redrawn(f"  … {self.name}, {seconds:.0f} s so far. {latest}".rstrip()), end="", flush=True)


def begin(name: str, arguments: list[str], *, environment: dict[str, str], log: Path) -> Step:
    """Start `manage.py` with arguments; the output goes to the log alone."""
    command = [sys.executable, str(PROJECT / "manage.py"), *arguments]
    with log.open("wb") as file:
        process = processes.launch(
            command, log=file, death_signal=signal.SIGTERM, environment=environment, folder=PROJECT
        )
    return Step(name=name, process=process, log=log)
