"""One migrated database that the test databases are copied from: migrating takes some seconds, a copy one.

The first process that needs a test database makes the template, under a lock of PostgreSQL; the others wait and copy.
It is named after what the schema is made of, so one of another schema is never taken; a killed maker leaves a draft
that nobody takes.
"""

import contextlib
import gc
import hashlib
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from hospital.embedded import folders

LOCK = 7_041_226  # any number that nothing else in the server uses


def schema_digest() -> str:
    """Changes with any migration, any function in SQL and any package."""
    digest = hashlib.sha256((folders.PROJECT / "requirements.txt").read_bytes())
    for app in ("hospital", "appointments", "exams", "referrals", "billing"):
        for path in sorted((folders.PROJECT / app).rglob("*")):
            if path.suffix == ".sql" or (path.suffix == ".py" and path.parent.name == "migrations"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def copy_instead_of_migrating(*, keep: bool) -> None:
    """Have Django copy the template into this process's test database; `keep`: unless there is one already."""
    own, _known = connection.creation._get_test_db_name(), _family()
    with connection.creation._nodb_cursor() as cursor:
        if keep and _is_there(cursor, own):
            return
        connection.settings_dict["TEST"]["TEMPLATE"] = _made(cursor)


def copy_into(url: str, *, programs: Path) -> bool:
    """Fill the empty database at `url`, on another server, from the template; False when these programs can't."""
    with connection.creation._nodb_cursor() as cursor:
        name = _made(cursor)
    given = connection.get_connection_params()
    source = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password"}
    environment = os.environ | {name: str(given[key]) for name, key in source.items() if given.get(key)}
    dump = subprocess.run(
        [programs / "pg_dump", "--no-owner", "--no-comments", name], env=environment, capture_output=True, check=False
    )
    if dump.returncode:
        return False  # an older pg_dump than that server
    fill = [programs / "psql", "-qX1", "-v", "ON_ERROR_STOP=1", url]
    subprocess.run(fill, input=dump.stdout, stdout=subprocess.DEVNULL, check=True)
    return True


def _made(cursor) -> str:
    """The template's name; it is there from now on."""
    cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")  # making it takes longer than a page may
    cursor.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", [LOCK, _family()])  # until this connection is closed
    name = f"{_family()}{schema_digest()[:12]}"
    if not _is_there(cursor, name):
        drop_templates(cursor)
        _make(cursor, name)
    return name


def drop_templates(cursor) -> None:
    """Those of this database's tests, drafts and old ones too."""
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_family()])
    for (name,) in cursor.fetchall():
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


@cache
def _family() -> str:
    """What the templates of one DATABASE_URL begin with. Asked first while the settings still name that database."""
    return f"test_{settings.DATABASES['default']['NAME']}_template_"


def _is_there(cursor, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


@contextlib.contextmanager
def _rubbish_left_lying() -> Iterator[None]:
    """A migration draws models over and over: looking for garbage in all that is loaded takes a quarter of the time."""
    often = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*often)
        gc.unfreeze()
        gc.collect()


def _make(cursor, name: str) -> None:
    """By Django's own way, under another name until it is whole."""
    draft, test, before = f"{name}_draft", connection.settings_dict["TEST"], connection.settings_dict["NAME"]
    own = test["NAME"]
    test["NAME"] = draft
    try:
        with _rubbish_left_lying():
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        test["NAME"] = own
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = before
    cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
