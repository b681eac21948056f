"""`python -m simulators.insurance FOLDER --port 8791`: until it is told to end. The folder holds what it remembers
(insurance.sqlite3) and, once it listens, how a hospital reaches it (links.toml, for INSURANCE_LINKS).

`python -m simulators.insurance FOLDER --behave slow --of 2207 --times 2` tells a running one how to behave.
"""

import json
import sys
import tomllib
import urllib.request
from secrets import token_hex

from simulators import serving

from .book import Book
from .server import WAYS, Server

PAASID = "demo"


def main() -> int:
    said = serving.arguments("insurance")
    said.add_argument("--behave", choices=(*WAYS, "well"))
    said.add_argument("--of", default="*", help="a transaction's number, e.g. 2207")
    said.add_argument("--times", type=int, default=1)
    given = said.parse_args()
    return _behave(given) if given.behave else _serve(given)


def _serve(given) -> int:
    given.folder.mkdir(parents=True, exist_ok=True)
    book, token = Book(str(given.folder / "insurance.sqlite3")), token_hex(16)
    server = Server((given.host, given.port), book=book, paasid=PAASID, token=token)
    url = f"http://{given.host}:{server.server_address[1]}/fsi/api"
    said = {"house": "*", "url": url, "fixmedins_code": "H00000000001", "area": "000000"}
    said |= {"paasid": PAASID, "token": token}
    serving.write(given.folder / "links.toml", table="link", said=said)
    return serving.serve(server, said=f"insurance {url}")


def _behave(given) -> int:
    url = tomllib.loads((given.folder / "links.toml").read_text())["link"][0]["url"].removesuffix("/fsi/api")
    said = json.dumps({"do": given.behave, "infno": given.of, "times": given.times}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_script", said, method="POST")) as answer:
        return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
