"""医保规则 and 医保目录 as dated rows: a new one ends the one before on the day before it begins; the days before stay
as they were. Two people of the office wait for each other at the house's row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import pghistory
from django.db import transaction
from django.utils.translation import gettext as _

from billing.errors import RuleBegun, TableChanged
from billing.models import InsuranceItem, InsuranceRule
from billing.selectors import insurance_tables as tables
from hospital import audit, clock
from hospital.models import Organization, User

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Item:
    """A line of the insurance's list as somebody gives it."""

    code: str
    national_code: str
    klass: str
    own_percent: Decimal


@dataclass(frozen=True)
class Brought:
    new: int
    changed: int
    same: int


@transaction.atomic
def write_rule(*, rule: InsuranceRule, seen: int, by: User, why: str, now: datetime) -> InsuranceRule:
    """`seen`: the newest row of the kind when the form was opened. Raises TableChanged."""
    _one_at_a_time(rule.organization)
    rows = InsuranceRule.objects.filter(organization=rule.organization, insurance=rule.insurance)
    if tables.latest(rows) != seen:
        raise TableChanged()
    before = _in_force(rows, rule.effective_from)
    said = tables.words_of_rule(before) if before else {}
    _put(rows, rule)
    detail = {"before": said, "after": tables.words_of_rule(rule), "why": why, "from": str(rule.effective_from)}
    _trace("insurance.rule_written", rule, detail, by=by, now=now)
    return rule


@transaction.atomic
def withdraw_rule(*, rule: InsuranceRule, by: User, now: datetime) -> InsuranceRule | None:
    """Take back one that has not begun; the one before goes on in its place and is returned. Raises RuleBegun,
    TableChanged."""
    _one_at_a_time(rule.organization)
    row = InsuranceRule.objects.filter(pk=rule.pk).first()
    if row is None:
        raise TableChanged()
    if row.effective_from <= clock.today(now):
        raise RuleBegun()
    rows = InsuranceRule.objects.filter(organization=row.organization_id, insurance=row.insurance)
    before, until = _in_force(rows, row.effective_from - DAY), row.effective_to
    detail = {"before": tables.words_of_rule(row), "from": str(row.effective_from)}
    _trace("insurance.rule_withdrawn", row, detail, by=by, now=now)
    row.delete()
    if before:
        before.effective_to = until
        before.save(update_fields=["effective_to"])
    return before


@transaction.atomic
def write_item(*, organization: Organization, item: Item, day: date, by: User, now: datetime) -> InsuranceItem:
    """One code, from a day on."""
    _one_at_a_time(organization)
    rows = InsuranceItem.objects.filter(organization=organization, code=item.code)
    before = _in_force(rows, day)
    row = _row(organization, item, day)
    if before and _same(before, item):
        return before
    said = tables.words_of_item(before) if before else {}
    _put(rows, row)
    detail = {"before": said, "after": tables.words_of_item(row), "from": str(day)}
    _trace("insurance.item_written", row, detail, by=by, now=now)
    return row


@transaction.atomic
def bring_in(*, organization: Organization, items: Iterable[Item], day: date, save: bool, by: User, now: datetime):
    """A whole list from a day on: what it lacks stays as it is. `save` False: only what would change."""
    _one_at_a_time(organization)
    held = tables.items_by_code(organization.pk, day=day)
    new = changed = same = 0
    with pghistory.context(command="import_insurance", user=by.pk):
        for item in items:
            before = held.get(item.code)
            if before and _same(before, item):
                same += 1
                continue
            new, changed = new + (before is None), changed + (before is not None)
            if save:
                rows = InsuranceItem.objects.filter(organization=organization, code=item.code)
                _put(rows, _row(organization, item, day))
    done = Brought(new, changed, same)
    if save and (new or changed):
        detail = {_("新增"): new, _("变更"): changed, "from": str(day)}
        subject = f"organization:{organization.pk}"
        audit.record(action="insurance.items_imported", actor=by, now=now, subject=subject, detail=detail)
    return done


def _row(organization: Organization, item: Item, day: date) -> InsuranceItem:
    return InsuranceItem(
        organization=organization,
        code=item.code,
        national_code=item.national_code,
        klass=item.klass,
        own_percent=item.own_percent,
        effective_from=day,
    )


def _same(row: InsuranceItem, item: Item) -> bool:
    return (row.national_code, row.klass, row.own_percent) == (item.national_code, item.klass, item.own_percent)


def _in_force(rows, day: date):
    return next((row for row in rows.order_by("-effective_from", "-pk") if _holds(row, day)), None)


def _holds(row, day: date) -> bool:
    return row.effective_from <= day and (row.effective_to is None or day <= row.effective_to)


def _put(rows, row) -> None:
    """Of one scope: what begins on the same day is written over (its history is kept), what held ends before, and the
    new one ends before the next that waits."""
    there = rows.filter(effective_from=row.effective_from).first()
    if there:
        row.pk, row._state.adding = there.pk, False
    after = rows.filter(effective_from__gt=row.effective_from).order_by("effective_from").first()
    row.effective_to = after.effective_from - DAY if after else None
    before = _in_force(rows.exclude(pk=row.pk), row.effective_from)
    if before:
        before.effective_to = row.effective_from - DAY
        before.save(update_fields=["effective_to"])
    row.save()


def _one_at_a_time(organization: Organization) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _trace(action: str, row, detail: dict, *, by: User, now: datetime) -> None:
    subject = f"{row._meta.model_name}:{row.pk}"
    audit.record(action=action, actor=by, now=now, subject=subject, detail=detail)
