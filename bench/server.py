"""The web server under measurement: gunicorn with the repository's own configuration, on a free port."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.load import HOST

PROJECT = Path(__file__).resolve().parent.parent
SECONDS_TO_START = 30


@contextlib.contextmanager
def running(**environment: str) -> Iterator[tuple[int, int]]:
    """Yields the port and the process. It logs as in production, into a file that is thrown away."""
    port = _free_port()
    settings = {"DJANGO_SETTINGS_MODULE": "bench.settings", "WEB_BIND": f"{HOST}:{port}", **environment}
    command = [sys.executable, "-m", "gunicorn", "-c", str(PROJECT / "gunicorn.conf.py"), "hospital.wsgi:application"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=PROJECT, env=os.environ | settings, stdout=log, stderr=log)
        try:
            _await_page(port, process, log)
            yield port, process.pid
        finally:
            process.terminate()
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as door:
        door.bind((HOST, 0))
        return door.getsockname()[1]


def _await_page(port: int, process: subprocess.Popen, log) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=5) as line:
            line.sendall(f"GET /healthz/live HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            if line.recv(100).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.1)
    log.seek(0)
    raise SystemExit(f"gunicorn did not answer:\n{log.read().decode(errors='replace')[-3000:]}")
