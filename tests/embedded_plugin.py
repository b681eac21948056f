"""Start PostgreSQL and Redis for the tests when no URL is given.

A plugin named in `addopts`, not a conftest: pytest-django reads the settings before any conftest.
With xdist only the first process starts servers; its workers inherit the URLs. A second pytest at
the same time gets servers of its own in a temporary folder.
"""

import hashlib
import os
from pathlib import Path

import psycopg2
import pytest

# Before the first import of the project: its Celery app would choose the hospital's own settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from hospital.embedded import folders, servers  # noqa: E402
from hospital.embedded.errors import CannotStart  # noqa: E402

CHROMIUM = Path("/usr/bin/chromium")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Before pytest-django's own hook of this name: a wrapper goes first."""
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        running = servers.running(name="test", for_tests=True)
        try:
            started = running.__enter__()
        except CannotStart as problem:
            raise pytest.UsageError(str(problem)) from None
        early_config.add_cleanup(lambda: running.__exit__(None, None, None))
        os.environ.update(started.urls())
        if started.postgres:
            _keep_only_clean_databases(early_config, started)
    return (yield)


def _keep_only_clean_databases(config, started) -> None:
    """--reuse-db trusts what it finds: drop it if the schema changed or the last run was cut off."""
    seal = started.base / "test-databases-are-clean"
    schema = _schema_digest()
    if not (seal.exists() and seal.read_text() == schema):
        _drop_test_databases(started.postgres)
    seal.unlink(missing_ok=True)
    config.add_cleanup(lambda: seal.write_text(schema))


def _schema_digest() -> str:
    """Changes with any migration and any function in SQL."""
    digest = hashlib.sha256()
    for app in ("hospital", "appointments"):
        for path in sorted((folders.PROJECT / app).rglob("*")):
            if path.suffix == ".sql" or (path.suffix == ".py" and path.parent.name == "migrations"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _drop_test_databases(postgres) -> None:
    connection = psycopg2.connect(host=str(postgres.sockets), user="postgres", dbname="postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(r"SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE 'test\_%'")
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP DATABASE {name}")
    connection.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that kill processes run one after another; browser tests need Debian's chromium.

    Without chromium the report says what did not run and how to get it.
    """
    missing = f"no {CHROMIUM}: apt-get install chromium fonts-noto-cjk, then make test TESTS=tests/browser"
    for item in items:
        if "faults" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("faults"))
        if not CHROMIUM.exists() and (item.get_closest_marker("browser") or "browser" in item.path.parts):
            item.add_marker(pytest.mark.skip(reason=missing))
