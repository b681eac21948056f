"""A process that is started again when it dies: web, worker, beat and Redis."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hospital.embedded import processes
from hospital.embedded.errors import CannotStart

DEATHS, WITHIN = 5, 60.0  # so many deaths in so many seconds: it will not recover by itself


@dataclass
class Kept:
    """A process and how to launch it."""

    name: str
    launch: Callable[[], subprocess.Popen]
    log: Path
    process: subprocess.Popen | None = None
    deaths: list[float] = field(default_factory=list)  # monotonic seconds
    starts_at: float = 0.0  # when a dead one is due again

    def check(self, say) -> None:
        """One look: note a death, or start again what is due. Raises CannotStart after too many deaths."""
        if self.process is None:
            if time.monotonic() >= self.starts_at:
                self.process = self.launch()
        elif self.process.poll() is not None:
            say(self._note_death())

    def _note_death(self) -> str:
        """The sentence about it. The pause before the next start doubles with each death."""
        how = processes.describe_exit(self.process.returncode)
        self.process = None
        now = time.monotonic()
        self.deaths = [*(then for then in self.deaths if now - then < WITHIN), now]
        if len(self.deaths) >= DEATHS:
            raise CannotStart(
                f"{self.name} died {DEATHS} times within {WITHIN:.0f} s, last by {how}; {self.log} ends with:\n"
                + processes.last_lines(self.log)
            )
        pause = 2 ** (len(self.deaths) - 1)
        self.starts_at = now + pause
        return f"{self.name} ended ({how}); starts again in {pause} s"
