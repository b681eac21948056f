"""The keys of both sides, made once per folder: hospital/ is what a merchant is given, gateway/ what stays there."""

import datetime
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

MERCHANTS = """# Merchant's accounts with the gateway of the demo; made when it started.
[[merchant]]
house = "*"
gateway = "wechat"
address = "{address}"
callback = "{callback}"
mchid = "{mchid}"
appid = "{appid}"
serial = "{serial}"
private_key = "wechat.pem"
apiv3_key = "wechat-apiv3.key"
platform = {{"{platform}" = "wechat-platform.pem"}}

[[merchant]]
house = "*"
gateway = "alipay"
address = "{address}/gateway.do"
callback = "{callback}"
app_id = "{app_id}"
seller_id = "{seller_id}"
private_key = "alipay.pem"
platform = "alipay-platform.pem"
"""
MCHID, APPID = "1900009191", "wxd678efh567hg6787"
APP_ID, SELLER_ID = "2021000119600000", "2088621900000000"
YEARS = datetime.timedelta(days=1825)


@dataclass(frozen=True)
class Keys:
    """What the gateway signs and verifies with."""

    folder: Path
    serial: str
    platform_serial: str
    apiv3_key: bytes
    wechat: rsa.RSAPrivateKey
    alipay: rsa.RSAPrivateKey
    wechat_merchant: rsa.RSAPublicKey
    alipay_merchant: rsa.RSAPublicKey
    control: str


def of(folder: Path) -> Keys:
    """Those of the folder; made if there are none."""
    ours = folder / "gateway"
    if not (ours / "ready").exists():
        _make(folder)

    def private(path: Path) -> rsa.RSAPrivateKey:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)

    serial, platform_serial, control = (ours / "ready").read_text().split()
    return Keys(
        folder=folder,
        serial=serial,
        platform_serial=platform_serial,
        apiv3_key=(folder / "hospital/wechat-apiv3.key").read_bytes(),
        wechat=private(ours / "wechat.pem"),
        alipay=private(ours / "alipay.pem"),
        wechat_merchant=private(folder / "hospital/wechat.pem").public_key(),
        alipay_merchant=private(folder / "hospital/alipay.pem").public_key(),
        control=control,
    )


def _make(folder: Path) -> None:
    for name in ("hospital", "gateway"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("hospital/wechat.pem", "hospital/alipay.pem", "gateway/wechat.pem", "gateway/alipay.pem"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write(folder / name, key.private_bytes(*form))
        if name == "gateway/wechat.pem":
            certificate = _certificate(key)
            write(folder / "hospital/wechat-platform.pem", certificate.public_bytes(serialization.Encoding.PEM))
        if name == "gateway/alipay.pem":
            public = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            write(folder / "hospital/alipay-platform.pem", key.public_key().public_bytes(*public))
    write(folder / "hospital/wechat-apiv3.key", secrets.token_hex(16).encode())
    said = f"{secrets.token_hex(20).upper()} {certificate.serial_number:040X} {secrets.token_urlsafe(24)}"
    write(folder / "gateway/ready", said.encode())


def _certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign (demo)")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - YEARS).not_valid_after(now + YEARS)
    return made.sign(key, hashes.SHA256())


def hand_out(keys: Keys, *, address: str, callback: str) -> Path:
    """The merchants' file for the hospital, with where the gateway listens now."""
    path = keys.folder / "hospital/merchants.toml"
    text = MERCHANTS.format(
        address=address, callback=callback, mchid=MCHID, appid=APPID, serial=keys.serial, app_id=APP_ID,
        platform=keys.platform_serial, seller_id=SELLER_ID,
    )  # fmt: skip
    write(path, text.encode())
    return path


def write(path: Path, content: bytes) -> None:
    """Readable by its owner only; all or nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
