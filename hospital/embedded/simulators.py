"""What stands in for the world outside the hospital in the demo: each a process that the demo keeps, with a folder of
its own in the data folder and a file there that tells the hospital where it is.

Whoever sets the file's setting themselves has a real one, or one of their own: then nothing is started.
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hospital.embedded import accounts, address, folders
from hospital.embedded.errors import CannotStart

NEIGHBOURS = 40  # ports after the demo's own that are tried


@dataclass(frozen=True)
class Simulator:
    """`command`: of its folder and port, after `python -m`. `file`: below the folder."""

    name: str
    about: str
    setting: str
    file: str
    command: Callable[[Path, int], list[str]]


def _payment(folder: Path, port: int) -> list[str]:
    where = ["--host", address.host(), "--port", str(port), "--shown", shown(), "--callback", address.url()]
    return ["billing.gateways.fake", "serve", str(folder), *where]


def _insurance(folder: Path, port: int) -> list[str]:
    return ["simulators.insurance", str(folder), "--host", address.host(), "--port", str(port)]


def _finance(folder: Path, port: int) -> list[str]:
    return ["simulators.finance", str(folder), "--host", address.host(), "--port", str(port)]


ALL = [
    Simulator("gateway", "模拟支付网关 (pay here)", "PAYMENT_MERCHANTS", "hospital/merchants.toml", _payment),
    Simulator("insurance", "模拟医保 (bears its part)", "INSURANCE_LINKS", "links.toml", _insurance),
    Simulator("finance", "模拟财政电子票据平台 (numbers receipts)", "RECEIPT_LINKS", "accounts.toml", _finance),
]


def shown() -> str:
    """The host as phones reach it."""
    return urlsplit(os.environ.get("PUBLIC_URL") or address.url()).hostname or "127.0.0.1"


def wanted() -> list[Simulator]:
    return [each for each in ALL if not os.environ.get(each.setting)]


def folder_of(simulator: Simulator, *, base: Path, account: accounts.Account | None) -> Path:
    """What is in it is of the account that the simulator runs under this time."""
    folder = folders.own_folder(base / simulator.name, account)
    for path in folder.rglob("*"):
        accounts.hand_over(path, account)
    return folder


def settings(base: Path) -> dict[str, str]:
    """For every process of the hospital."""
    return {each.setting: str(base / each.name / each.file) for each in wanted()}


def free_ports(many: int) -> list[int]:
    """The first free ones after the demo's own, the same at every start if nobody else took them."""
    found = []
    for port in range(address.port() + 1, min(address.port() + NEIGHBOURS, 65535)):
        if len(found) == many:
            break
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                door.bind((address.host(), port))
            except OSError:
                continue
            found.append(port)
    if len(found) < many:
        raise CannotStart(f"No {many} free ports after {address.port()}. Choose another: make demo PORT=8100")
    return found
