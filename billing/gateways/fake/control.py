"""Telling a running gateway what to do: for tests, the demo's month and curious people."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit


class Control:
    """`folder`: the gateway's own; None where there is no such gateway."""

    def __init__(self, folder: Path):
        note = json.loads((folder / "gateway/control.json").read_text())
        self.url, self.word = note["url"], note["word"]

    @classmethod
    def beside(cls, merchants: str) -> "Control | None":
        """Of the gateway that wrote this merchants' file; None: a real one, or none."""
        folder = Path(merchants).parent.parent
        return cls(folder) if merchants and (folder / "gateway/control.json").exists() else None

    def __call__(self, deed: str, **said) -> dict:
        """Raises OSError, RuntimeError."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            headers = {"X-Control": self.word, "Content-Type": "application/json"}
            connection.request("POST", parts.path, body=json.dumps({"deed": deed, **said}), headers=headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{deed}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text)
