"""The two database functions that give a patient a number, called in one round trip each."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from appointments import errors
from hospital.errors import Refused

REFUSALS: dict[str, type[Refused]] = {
    refusal.code: refusal
    for refusal in (
        errors.SoldOut,
        errors.Busy,
        errors.NotOpen,
        errors.Stopped,
        errors.PastNumber,
        errors.AlreadyBooked,
        errors.TimeConflict,
        errors.HoldLapsed,
        errors.KeyReused,
        errors.NeedsTeamReferral,
        errors.Inactive,
        errors.NoPrice,
        errors.NoSuchNumber,
        errors.NoSuchPatient,
    )
}
REFUSALS["retry"] = errors.Busy  # it kept moving under our feet
GIVEN = frozenset({"booked", "moved", "replayed"})


@dataclass(frozen=True)
class Outcome:
    """What the database answered. Times are aware UTC; `fee` in yuan; `until` ends a suspension."""

    code: str
    appointment: int | None
    number: int | None = None
    start: datetime | None = None
    minutes: int | None = None
    hold_until: datetime | None = None
    fee: Decimal | None = None
    until: datetime | None = None

    @property
    def given(self) -> bool:
        return self.code in GIVEN


BOOK = (
    "schedule", "number", "from", "to", "pools", "public", "team", "patient", "channel", "self_service", "counts",
    "limits", "hold", "confirm", "allow_past", "visit_type", "extra", "note", "actor", "account", "request_key", "body",
    "basket", "encounter", "referral", "opened_at", "now",
)  # fmt: skip
MOVE = (
    "appointment", "seen_slot", "seen_status", "schedule", "number", "from", "to", "pools", "public", "team", "channel",
    "self_service", "counts", "limits", "hold", "allow_past", "rest", "actor", "account", "request_key", "body",
    "encounter", "referral", "now",
)  # fmt: skip
CASTS = {
    "from": "timestamptz", "to": "timestamptz", "pools": "bigint[]", "limits": "int[]", "hold": "interval",
    "rest": "interval", "basket": "uuid", "opened_at": "timestamptz", "now": "timestamptz", "number": "int",
    "channel": "text", "visit_type": "text", "note": "text", "request_key": "text", "body": "text",
    "seen_status": "text", "self_service": "boolean", "counts": "boolean", "confirm": "boolean",
    "allow_past": "boolean", "extra": "boolean",
}  # fmt: skip


def _statement(function: str, names: tuple[str, ...]) -> str:
    places = ", ".join(f"%s::{CASTS.get(name, 'bigint')}" for name in names)
    return f"SELECT code, appointment, number, start, minutes, hold_until, fee, until FROM {function}({places})"  # noqa: S608


BOOK_STATEMENT, MOVE_STATEMENT = _statement("book_slot", BOOK), _statement("move_slot", MOVE)


def _call(statement: str, names: tuple[str, ...], arguments: dict) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(statement, [arguments[name] for name in names])
        return Outcome(*cursor.fetchone())


def book_slot(**arguments) -> Outcome:
    """See sql/book_slot.sql. All of BOOK by name; `now` None lets the database's clock decide."""
    return _call(BOOK_STATEMENT, BOOK, arguments)


def move_slot(**arguments) -> Outcome:
    """See sql/move_slot.sql. All of MOVE by name."""
    return _call(MOVE_STATEMENT, MOVE, arguments)


def database_now() -> datetime:
    """The database's clock decides what is late, open or lapsed (O7)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
