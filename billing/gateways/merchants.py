"""Which merchant's accounts the houses have (gateways.beside).

    [[merchant]]
    house = "H1"            # the institution's code; "*" for all that have none of their own
    gateway = "wechat"
    address = "https://api.mch.weixin.qq.com"
    mchid = "1900000001"
    appid = "wx0123456789abcdef"
    serial = "..."          # of our certificate
    private_key = "wechat.pem"        # paths beside this file
    apiv3_key = "wechat-apiv3.key"
    platform = {"PUB_KEY_ID_0123" = "wechat-platform.pem"}

    [[merchant]]
    house = "H1"
    gateway = "alipay"
    address = "https://openapi.alipay.com/gateway.do"
    app_id = "2021000000000001"
    seller_id = "2088000000000001"
    private_key = "alipay.pem"
    platform = "alipay-platform.pem"

Both may say client = "wechatpayv3" or "python-alipay-sdk": the kept client library then signs and asks instead of us
(requirements-gateways.txt). settings.PAYMENT_MERCHANTS names the file.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from django.conf import settings

from . import alipay, signing, wechat
from .beside import EVERYWHERE, Beside, Unfit, entries, https
from .ports import PaymentGateway


def _wechat(entry: dict, folder: Path, **where: str) -> PaymentGateway:
    apiv3_key = (folder / entry["apiv3_key"]).read_text().strip().encode()
    if len(apiv3_key) != 32:
        raise Unfit("apiv3_key is 32 letters")
    merchant = wechat.Merchant(
        address=https(entry, "address").rstrip("/"),
        mchid=str(entry["mchid"]),
        appid=str(entry["appid"]),
        serial=str(entry["serial"]),
        private_key=signing.private_key(folder / entry["private_key"]),
        apiv3_key=apiv3_key,
        platform={serial: signing.public_key(folder / path) for serial, path in entry["platform"].items()},
    )
    return _speaker(entry, wechat.WechatPay)(merchant, **where)


def _alipay(entry: dict, folder: Path, **where: str) -> PaymentGateway:
    merchant = alipay.Merchant(
        address=https(entry, "address").rstrip("/"),
        app_id=str(entry["app_id"]),
        seller_id=str(entry["seller_id"]),
        private_key=signing.private_key(folder / entry["private_key"]),
        platform=signing.public_key(folder / entry["platform"]),
    )
    return _speaker(entry, alipay.Alipay)(merchant, **where)


KINDS: dict[str, Callable[..., PaymentGateway]] = {"wechat": _wechat, "alipay": _alipay}


CLIENTS = {
    ("wechat", "wechatpayv3"): ("kept_wechat", "KeptWechatPay"),
    ("alipay", "python-alipay-sdk"): ("kept_alipay", "KeptAlipay"),
}


def _speaker(entry: dict, ours: type) -> type:
    """Who speaks the protocol. An extra is imported by whom it is asked for, and by nobody else."""
    client = entry.get("client", "")
    if not client:
        return ours
    if (entry["gateway"], client) not in CLIENTS:
        raise Unfit("client is wechatpayv3 or python-alipay-sdk, or not named")
    module, name = CLIENTS[entry["gateway"], client]
    try:
        return getattr(import_module(f"billing.gateways.{module}"), name)
    except ImportError:
        raise Unfit(f"{client} is not installed: pip install -r requirements-gateways.txt") from None


def read(path: Path) -> list[dict]:
    """Every entry, each tried: its keys are there and are keys. Raises OSError, beside.Unfit."""
    return entries(path, "merchant", _entry)


def _entry(entry: dict, folder: Path) -> dict:
    kept = {"house": str(entry["house"]), "folder": folder, **entry}
    made(kept, kept["house"])
    return kept


def made(entry: dict, house: str) -> PaymentGateway:
    """Who speaks for this house. Raises KeyError, OSError, ValueError, Unfit."""
    kind = KINDS.get(entry["gateway"])
    if kind is None:
        raise Unfit("gateway is one of " + ", ".join(KINDS))
    base = str(entry.get("callback") or settings.PUBLIC_URL).rstrip("/")
    where = {"callback": f"{base}/callbacks/{entry['gateway']}/{house}/", "back": f"{base}/callbacks/back/"}
    return kind(entry, entry["folder"], **where)


file = Beside("PAYMENT_MERCHANTS", read)


def of_house(organization: int) -> dict[str, PaymentGateway]:
    """The gateways of a house by code; its own before those for everywhere."""
    return file.of_house(organization, _gateways) or {}


def _gateways(merchants: list, code: str) -> dict[str, PaymentGateway]:
    own = {entry["gateway"]: entry for entry in merchants if entry["house"] == EVERYWHERE}
    own |= {entry["gateway"]: entry for entry in merchants if entry["house"] == code}
    return {gateway: made(entry, code) for gateway, entry in own.items()}
