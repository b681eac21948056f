"""A stand-in's process: its folder and port, the file that says how a hospital reaches it, and its end."""

import argparse
import contextlib
import os
import signal
import sys
from http.server import HTTPServer
from pathlib import Path


def arguments(name: str) -> argparse.ArgumentParser:
    said = argparse.ArgumentParser(prog=f"simulators.{name}")
    said.add_argument("folder", type=Path)
    said.add_argument("--host", default="127.0.0.1")
    said.add_argument("--port", type=int, default=0, help="0: any that is free")
    return said


def write(file: Path, *, table: str, said: dict[str, str]) -> None:
    """Whole or not at all: somebody may be reading it."""
    lines = [f"[[{table}]]", *(f'{name} = "{value}"' for name, value in said.items())]
    fresh = file.with_suffix(".new")
    fresh.write_text("\n".join(lines) + "\n")
    fresh.chmod(0o640)
    os.replace(fresh, file)


def serve(server: HTTPServer, *, said: str) -> int:
    """Until it is told to end. `said`: what is printed once it listens."""
    signal.signal(signal.SIGTERM, _end)
    sys.stdout.write(f"{said}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)
    return 0


def _end(_number, _frame):
    raise KeyboardInterrupt
