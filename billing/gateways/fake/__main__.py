"""Start the gateway, or tell a running one how to behave.

python -m billing.gateways.fake serve FOLDER --port 8001 --callback http://127.0.0.1:8000
python -m billing.gateways.fake behave FOLDER callbacks=twice late=5       (script.py has the words)
python -m billing.gateways.fake behave FOLDER down=cut                     down= ends it
python -m billing.gateways.fake pay FOLDER ORDER
"""

import argparse
import json
from pathlib import Path

from .control import Control
from .server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m billing.gateways.fake", description=__doc__.splitlines()[0])
    deeds = parser.add_subparsers(dest="deed", required=True)
    start = deeds.add_parser("serve")
    start.add_argument("folder", type=Path)
    start.add_argument("--host", default="127.0.0.1")
    start.add_argument("--port", type=int, default=0, help="0: any that is free")
    start.add_argument("--shown", default="127.0.0.1", help="the host as phones and the hospital reach it")
    start.add_argument("--callback", default="", help="where the hospital takes notices: http://host:port")
    behave = deeds.add_parser("behave")
    behave.add_argument("folder", type=Path)
    behave.add_argument("words", nargs="+", metavar="name=value")
    pay = deeds.add_parser("pay")
    pay.add_argument("folder", type=Path)
    pay.add_argument("order")
    asked = parser.parse_args()
    if asked.deed == "serve":
        serve(asked.folder, host=asked.host, port=asked.port, shown=asked.shown, callback=asked.callback)
    elif asked.deed == "behave":
        Control(asked.folder)("behave", **dict(_word(word) for word in asked.words))
    else:
        Control(asked.folder)("pay", order=asked.order)


def _word(text: str) -> tuple[str, object]:
    """A number, JSON, or a plain word."""
    name, _is, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    main()
