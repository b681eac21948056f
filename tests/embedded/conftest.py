"""A data folder for servers of a test's own."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def home(monkeypatch):
    """Empty, reachable by the servers' account (pytest's own folders are not), and no URL from outside."""
    base = Path(tempfile.mkdtemp(prefix="hospital-home-"))
    base.chmod(0o711)
    monkeypatch.setenv("HOSPITAL_HOME", str(base))
    for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL"):
        monkeypatch.delenv(name, raising=False)
    yield base
    shutil.rmtree(base)
