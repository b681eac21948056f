"""Starting and asking the receiver (tests/integration/receiver.py)."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from .documented import write_examples

SECRET = "between the house and the receiver"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class End:
    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen | None = None
        write_examples(folder)
        self.behave()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def behave(self, **how) -> None:
        part = self.folder / "behaviour.part"
        part.write_text(json.dumps(how))
        part.replace(self.folder / "behaviour.json")

    def start(self) -> "End":
        program = Path(__file__).with_name("receiver.py")
        self.process = subprocess.Popen([sys.executable, str(program), str(self.port), str(self.folder), SECRET])
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline, "the receiver does not start"
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def heard(self) -> list[dict]:
        file = self.folder / "heard.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def events(self) -> list[dict]:
        """What was taken (2xx), each genuine."""
        taken = [note for note in self.heard() if note["answered"] < 300]
        assert all(note["genuine"] for note in taken)
        return [json.loads(note["body"]) for note in taken]
