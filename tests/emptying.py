"""Emptying the database after a test that committed.

Django truncates all 119 tables and then writes content types and permissions again, about half a second each time. The
few tables that hold rows are emptied instead, and what migrations wrote for every installation stays.
"""

from functools import cache

from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

STAYS = {"django_content_type", "auth_permission", "django_site", "django_migrations"}
"""As after Django's own flush, whose signal fills them again."""


def empty() -> None:
    """Everything but STAYS. Sequences run on, as after a flush."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _delete(cursor)
    except DatabaseError:  # a role that may not set aside triggers: on somebody's own server
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def _delete(cursor) -> None:
    """A request that still runs in a server's thread is waited for by the locks, as TRUNCATE would."""
    tables = _tables()
    cursor.execute("SET LOCAL session_replication_role = replica")  # neither foreign keys nor append-only triggers
    cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE")
    cursor.execute(" UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables))
    for (table,) in cursor.fetchall():
        cursor.execute(f"DELETE FROM {table}")


@cache
def _tables() -> tuple[str, ...]:
    there = set(connection.introspection.table_names())
    models = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    return tuple(sorted(connection.ops.quote_name(table) for table in (models & there) - STAYS))
