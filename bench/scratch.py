"""Databases of our own beside the one that DATABASE_URL names: made, filled, thrown away."""

import os
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql


class Scratch:
    """The server that DATABASE_URL names; our databases end in _bench, so that nobody's data is touched."""

    def __init__(self, url: str):
        self.parts = urlsplit(url)
        self.home = unquote(self.parts.path.lstrip("/"))
        self.made: list[str] = []

    def url(self, name: str) -> str:
        return urlunsplit(self.parts._replace(path=f"/{name}"))

    def named(self, suffix: str) -> str:
        return f"{self.home}_{suffix}_bench"

    def make(self, suffix: str, *, template: str | None = None) -> str:
        """A new database; returns its name. `template` must have no connections."""
        name = self.named(suffix)
        self._drop(name)
        like = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + like)
        self.made.append(name)
        return name

    def throw_away(self) -> None:
        for name in self.made:
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement) -> None:
        connection = psycopg2.connect(self.url(self.home))
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()


def pg_environment(database: dict) -> dict[str, str]:
    """libpq's variables for pgbench, from Django's settings: the same server, role and session settings."""
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    values = {name: str(database[key]) for name, key in named.items() if database.get(key)}
    return os.environ | values | {"PGOPTIONS": database["OPTIONS"].get("options", "")}
