"""Which columns of the house hang on a patient. Asked of Django's registry, so that no app has to be named here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pghistory.models
import pgtrigger
from django.apps import apps
from django.db import connection, models

from hospital.models import DuplicateSuspect, MergedRow, Patient, PatientMerge, PatientTime

OWN = (DuplicateSuspect, PatientMerge, MergedRow)
"""Rows about merging itself stay with the record that they speak of."""

STAYS = frozenset({
    "condition_once", "relatedperson_once_per_account", "consent_once", "datarequest_one_open",
    "patienttime_not_in_two_places", "creditagreement_one_at_a_time",
})  # fmt: skip
"""Constraints that say "this is known already": the same allergy, an account that looks after both, an agreement that
both signed, an hour long past at which both were booked (one to come is refused before). The row stays with the record
that is switched off."""

BEGUN = "created_at"
"""When a row began, on models whose rows may come to hang on another row later on."""

_times: dict[str, type[models.Model]] = {}


@dataclass(frozen=True)
class Column:
    """A foreign key to a patient."""

    model: type[models.Model]
    name: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def words(self) -> str:
        return str(self.model._meta.verbose_name)


@dataclass(frozen=True)
class Link:
    """A row's way to another row that hangs on a patient, too: the encounter of an appointment."""

    column: Column
    parent: Column
    name: str


@dataclass(frozen=True)
class Held:
    """A row of a patient that another row holds as its own: the number of a referral, of a plan. `owner`: whose row
    the holder is; itself, or what it hangs on by `via`."""

    column: Column
    holder: str
    name: str
    owner: Column
    via: str


def keeps_time(source: str, model: type[models.Model]) -> None:
    """PatientTime.source → the model whose rows it names."""
    _times[source] = model


def time_sources() -> dict[str, type[models.Model]]:
    return dict(_times)


@cache
def columns() -> tuple[Column, ...]:
    """Where a patient stands; promised times first, since a clash of two is what people know best. History and
    append-only rows say what was, and stay."""
    found = [Column(model, field.column) for model in _models() for field in _keys_to(model, Patient)]
    return tuple(sorted(found, key=lambda each: (each.model is not PatientTime, each.model._meta.label, each.name)))


@cache
def links() -> tuple[Link, ...]:
    """From each such row to others of a patient."""
    by_model: dict[type[models.Model], list[Column]] = {}
    for column in columns():
        by_model.setdefault(column.model, []).append(column)
    return tuple(
        Link(column, parent, field.column)
        for column in columns()
        for other, parents in by_model.items()
        for field in _keys_to(column.model, other)
        for parent in parents
    )


@cache
def held() -> tuple[Held, ...]:
    """What may have been made for a row afterwards: found by the key to it, which the row itself does not have."""
    found = []
    for holder in _models():
        table = holder._meta.db_table
        owners = [(owner, "id") for owner in columns() if owner.model is holder] or [
            (owner, key.column) for owner in columns() for key in _keys_to(holder, owner.model)
        ]
        for column in columns():
            for key in _keys_to(holder, column.model):
                if isinstance(key, models.OneToOneField) and has_begun(column):
                    found += [Held(column, table, key.column, owner, via) for owner, via in owners]
    return tuple(each for each in found if each.via != each.name)


def has_begun(column: Column) -> bool:
    return any(field.column == BEGUN for field in column.model._meta.concrete_fields)


def _models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        history = issubclass(model, pghistory.models.Event)
        if not (history or model in OWN or _append_only(model)):
            yield model


def _append_only(model: type[models.Model]) -> bool:
    """Some columns of its own that never change (ReadOnly) do not make it so: whose it is, may."""
    protects = (each for each in getattr(model._meta, "triggers", ()) if isinstance(each, pgtrigger.Protect))
    whole = (each for each in protects if not isinstance(each, pgtrigger.ReadOnly))
    return any("UPDATE" in str(each.operation) for each in whole)


def _keys_to(model: type[models.Model], target: type[models.Model]) -> Iterator[models.ForeignKey]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.remote_field.model is target:
            yield field


def weights(patient: Patient) -> list[tuple[str, int]]:
    """What hangs on a record, by name, the most first: what a merge would move. One query."""
    counts = [
        f"SELECT {number}, count(*) FROM {_quoted(each.table)} WHERE {_quoted(each.name)} = %(patient)s"  # noqa: S608
        for number, each in enumerate(columns())
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(counts), {"patient": patient.pk})
        rows = cursor.fetchall()
    named = [(columns()[number].words, count) for number, count in rows if count and _is_told(columns()[number])]
    return sorted(named, key=lambda each: -each[1])


def _is_told(column: Column) -> bool:
    """Not the times: they are told as the bookings that they belong to."""
    return column.model is not PatientTime


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
