"""Which house numbers its receipts where (gateways.beside).

    [[account]]
    house = "H1"                   # the institution's code; "*" for all that have none of their own
    url = "https://czpj.example.gov.cn/api"
    app = "H11010800001"
    key_file = "finance.key"       # beside this file

settings.RECEIPT_LINKS names it.
"""

from pathlib import Path

from . import beside
from .finance_platform import Account, FinancePlatform
from .ports import ReceiptPort


def read(path: Path) -> list[tuple[str, Account]]:
    """Every account by its house. Raises OSError, beside.Unfit."""
    return beside.entries(path, "account", _account)


def _account(entry: dict, folder: Path) -> tuple[str, Account]:
    key = beside.secret(entry, "key", folder)
    return str(entry["house"]), Account(url=beside.https(entry, "url"), app=str(entry["app"]), key=key)


file = beside.Beside("RECEIPT_LINKS", read)


def of_house(organization: int) -> ReceiptPort | None:
    """None: receipts have no numbers there."""
    return file.of_house(organization, _platform)


def _platform(accounts: list, code: str) -> ReceiptPort | None:
    account = beside.own_or_everywhere(accounts, code)
    return FinancePlatform(account) if account else None
