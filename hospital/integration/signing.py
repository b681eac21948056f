"""HMAC-SHA256 with a shared secret. What is signed is written in docs/integration.md, byte by byte."""

import hashlib
import hmac
import secrets

LINK_FIELDS = ("system", "doctor", "patient", "visit", "exp", "nonce")
LINK_HEAD = "context-link-v1"  # a signature made for something else opens no link


def new_secret() -> str:
    """256 bits, as text that survives being read out of a settings file."""
    return secrets.token_urlsafe(32)


def event_signature(*, secret: str, timestamp: str, body: bytes) -> str:
    """X-Signature of a webhook: over the time as well, so that an old message can't be sent again as a new one."""
    return "sha256=" + _hex(secret, timestamp.encode() + b"." + body)


def link_signature(*, secret: str, fields: dict[str, str]) -> str:
    """The `signature` of a context link: its fields in their fixed order, one a line, unquoted."""
    lines = [LINK_HEAD, *(fields[name] for name in LINK_FIELDS)]
    return _hex(secret, "\n".join(lines).encode())


def is_signed_by(*, secret: str, fields: dict[str, str], signature: str) -> bool:
    """Compared in constant time: how long it takes tells nothing about the right one."""
    return hmac.compare_digest(link_signature(secret=secret, fields=fields).encode(), signature.encode())


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
