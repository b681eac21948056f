"""Start PostgreSQL and Redis for the tests when no URL is given.

A plugin named in `addopts`, not a conftest: pytest-django reads the settings before any conftest.
With xdist only the first process starts servers; its workers inherit the URLs. A second pytest at
the same time gets servers of its own in a temporary folder. The tests are dealt out by file.
"""

import contextlib
import gc
import os
from pathlib import Path

import psycopg2
import pytest

# Before the first import of the project: its Celery app would choose the hospital's own settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from hospital.embedded import servers  # noqa: E402
from hospital.embedded.errors import CannotStart  # noqa: E402
from tests import dealing, migrated  # noqa: E402

CHROMIUM = next(
    (path for path in map(Path, ("/usr/lib/chromium/chromium-headless-shell", "/usr/bin/chromium")) if path.exists()),
    None,
)
"""The same engine without a browser around it, where it is installed: a page takes it half the work."""


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
    schema = migrated.schema_digest()
    if not (seal.exists() and seal.read_text() == schema):
        _drop_test_databases(started.postgres)
    seal.unlink(missing_ok=True)
    config.add_cleanup(lambda: seal.write_text(schema))


def _drop_test_databases(postgres) -> None:
    connection = psycopg2.connect(host=str(postgres.sockets), user="postgres", dbname="postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    whole = f"test_%_template_{migrated.schema_digest()[:12]}"  # written once and never again: clean
    cursor.execute(
        r"SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE 'test\_%%' AND datname NOT LIKE %s", [whole]
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP DATABASE {name}")
    connection.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Browser tests need Debian's chromium. Without it the report says what did not run and how to get it."""
    missing = "no /usr/bin/chromium: apt-get install chromium fonts-noto-cjk, then make test TESTS=tests/browser"
    for item in items:
        if CHROMIUM is None and (item.get_closest_marker("browser") or "browser" in item.path.parts):
            item.add_marker(pytest.mark.skip(reason=missing))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """All the modules are loaded and stay: looking for garbage in them again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class InOrder:
    """In a worker: what takes longest first. After pytest-django's own sorting."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: dealing.place(item.nodeid))


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(InOrder())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Our own dealing, whatever --dist says: xdist 3.8 loses its groups under pytest 9, silently."""
    return dealing.ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Test databases that aren't kept take their template with them."""
    if hasattr(session.config, "workerinput") or session.config.getoption("reuse_db", default=True):
        return
    from django.db import DatabaseError, connection
    from pytest_django.plugin import blocking_manager_key

    unblocked = session.config.stash[blocking_manager_key].unblock()
    with unblocked, contextlib.suppress(DatabaseError), connection.creation._nodb_cursor() as cursor:
        migrated.drop_templates(cursor)
