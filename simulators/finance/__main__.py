"""`python -m simulators.finance FOLDER --port 8793`: until it is told to end. The folder holds what it remembers
(finance.sqlite3) and, once it listens, how a hospital reaches it (accounts.toml, for RECEIPT_LINKS).
"""

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from secrets import token_hex

from .book import Book
from .server import Server

APP = "demo"


def main() -> int:
    said = argparse.ArgumentParser(prog="simulators.finance")
    said.add_argument("folder", type=Path)
    said.add_argument("--host", default="127.0.0.1")
    said.add_argument("--port", type=int, default=0, help="0: any that is free")
    given = said.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    book, key = Book(str(given.folder / "finance.sqlite3")), token_hex(16)
    server = Server((given.host, given.port), book=book, app=APP, key=key)
    signal.signal(signal.SIGTERM, _end)
    url = f"http://{given.host}:{server.server_address[1]}/api"
    _write(given.folder / "accounts.toml", url=url, key=key)
    sys.stdout.write(f"finance {url}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.1)
    return 0


def _write(path: Path, *, url: str, key: str) -> None:
    """Whole or not at all: somebody may be reading it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(f'[[account]]\nhouse = "*"\nurl = "{url}"\napp = "{APP}"\nkey = "{key}"\n')
    os.replace(fresh, path)


def _end(_number, _frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
