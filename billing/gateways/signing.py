"""RSA-SHA256 (PKCS#1 v1.5) and AES-256-GCM as the gateways use them, and keys read from PEM files."""

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)


def sign(key: RSAPrivateKey, text: str) -> str:
    return b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, text: bytes, signature: str) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):  # ValueError: not base64
        return False
    return True


def seal(key: bytes, text: bytes, *, nonce: str, about: str) -> str:
    """AEAD_AES_256_GCM, base64."""
    return b64encode(AESGCM(key).encrypt(nonce.encode(), text, about.encode())).decode()


def unseal(key: bytes, sealed: str, *, nonce: str, about: str) -> bytes | None:
    """None: not sealed with this key."""
    try:
        return AESGCM(key).decrypt(nonce.encode(), b64decode(sealed, validate=True), about.encode())
    except (InvalidTag, ValueError):
        return None


def as_text(key: RSAPrivateKey | RSAPublicKey) -> str:
    """PEM, for clients that want it so."""
    if isinstance(key, RSAPrivateKey):
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_key(path: Path) -> RSAPrivateKey:
    """Raises OSError, ValueError, TypeError."""
    return load_pem_private_key(path.read_bytes(), password=None)


def public_key(path: Path) -> RSAPublicKey:
    """Of a certificate or a public key. Raises OSError, ValueError."""
    pem = path.read_bytes()
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_key()
    return load_pem_public_key(pem)
