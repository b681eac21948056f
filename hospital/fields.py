"""Personal data at rest: an encrypted column, and a keyed hash beside it to look up by.

Encryption is randomised, so equal numbers do not look equal on disk; equality is asked of the hash.
"""

import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The first key encrypts, all decrypt: put a new key in front to rotate."""
    return _cipher(tuple(settings.FIELD_KEYS))


def keyed_hash(kind: str, value: str) -> str:
    """Hex HMAC-SHA256 of a normalised value. `kind` keeps a phone from matching a document."""
    return hmac.new(settings.HASH_KEY.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


class EncryptedTextField(models.TextField):
    """Text that is readable only with the keys. Never filter by it: use a keyed hash column."""

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value, expression, connection):
        return cipher().decrypt(value.encode()).decode() if value else value
