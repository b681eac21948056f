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
    def __init__(self, folder: Path, *, certificate: Path | None = None):
        self.folder, self.port, self.certificate = folder, free_port(), certificate
        self.process: subprocess.Popen | None = None
        write_examples(folder)
        self.behave()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.port}/events"

    def behave(self, **how) -> None:
        part = self.folder / "behaviour.part"
        part.write_text(json.dumps(how))
        part.replace(self.folder / "behaviour.json")

    def start(self) -> "End":
        program = Path(__file__).with_name("receiver.py")
        more = [str(self.certificate)] if self.certificate else []
        self.process = subprocess.Popen([sys.executable, str(program), str(self.port), str(self.folder), SECRET, *more])
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


def certificate_for(host: str, folder: Path) -> Path:
    """A key and its self-signed certificate in one file: also the authority that must be trusted."""
    file = folder / f"{host}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(file), "-out", f"{file}.crt"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file
