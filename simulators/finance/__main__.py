"""`python -m simulators.finance FOLDER --port 8793`: until it is told to end. The folder holds what it remembers
(finance.sqlite3) and, once it listens, how a hospital reaches it (accounts.toml, for RECEIPT_LINKS).
"""

import sys
from secrets import token_hex

from simulators import serving

from .book import Book
from .server import Server

APP = "demo"


def main() -> int:
    given = serving.arguments("finance").parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    book, key = Book(str(given.folder / "finance.sqlite3")), token_hex(16)
    server = Server((given.host, given.port), book=book, app=APP, key=key)
    url = f"http://{given.host}:{server.server_address[1]}/api"
    said = {"house": "*", "url": url, "app": APP, "key": key}
    serving.write(given.folder / "accounts.toml", table="account", said=said)
    return serving.serve(server, said=f"finance {url}")


if __name__ == "__main__":
    sys.exit(main())
