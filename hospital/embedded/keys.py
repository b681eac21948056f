"""The keys of this installation: made once, kept in one file, handed to every process.

FIELD_KEYS encrypts personal data and HASH_KEY looks it up: a data folder without its secrets.env
is a hospital whose documents and phones nobody can read again.
"""

import base64
import os
import secrets
from pathlib import Path

from hospital.embedded.errors import CannotStart


def _new_keys() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),  # a Fernet key
        "HASH_KEY": secrets.token_urlsafe(32),
    }


def refuse_if_lost(base: Path, *, data: Path) -> None:
    """New keys beside old data would make documents and phones unreadable for good: stop instead."""
    given = os.environ.get("FIELD_KEYS") and os.environ.get("HASH_KEY")
    if (data / "PG_VERSION").exists() and not (base / "secrets.env").exists() and not given:
        raise CannotStart(
            f"{base / 'secrets.env'} is gone, but {data} holds data that only its keys can read. Put the file back, "
            "set FIELD_KEYS and HASH_KEY, or start over with another HOSPITAL_HOME."
        )


def of(base: Path) -> dict[str, str]:
    """The keys of a data folder. A key given in the environment wins over the file."""
    path = base / "secrets.env"
    if not path.exists():
        _write(path, _new_keys())
    lines = path.read_text().splitlines()
    kept = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    missing = {name: key for name, key in _new_keys().items() if name not in kept}
    if missing:
        kept |= missing
        _write(path, kept)
    return {name: os.environ.get(name) or key for name, key in kept.items()}


def _write(path: Path, keys: dict[str, str]) -> None:
    """All or nothing: a half-written key file would lock up the data as surely as a lost one."""
    draft = path.with_name(f"secrets.env.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("# Keys of this installation. Keep them; the data cannot be read without them.\n")
        file.writelines(f"{name}={key}\n" for name, key in keys.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
