"""检查项目, 方式, 套餐, 分组: the part of the catalogue that is changed in place. Each change leaves an audit row with
before and after, and the database keeps the former row."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from exams.errors import CatalogueChanged
from exams.models import ExamGroup, ExamItem, ExamSet, ExamVariant
from exams.selectors import catalogue
from exams.selectors.sentences import words_of_item, yes
from exams.selectors.signed import subject_of
from hospital import audit, pinyin
from hospital.models import Organization, User

from .signing import code_for, refuse_circle


class Way:
    """A variant as the form gives it: the (unsaved or changed) row and its groups."""

    def __init__(self, variant: ExamVariant, groups: Sequence[ExamGroup] = ()):
        self.variant, self.groups = variant, groups


@transaction.atomic
def save_item(*, item: ExamItem, ways: Iterable[Way], seen: int = 0, by: User, now: datetime) -> ExamItem:
    """`seen`: what latest_act said when the form was opened. A way that is not done any more is inactive, never gone.

    Leaves an audit row if anything changed. Raises CatalogueChanged, OrderInACircle (a group may close one).
    """
    _one_at_a_time(item.organization_id)
    new = item.pk is None
    if not new and catalogue.latest_act(subject_of(item)) != seen:
        raise CatalogueChanged()
    before = {} if new else _words_of(item.pk)
    item.pinyin, item.initials = _sounds(item.name)
    item.save()
    for way in ways:
        way.variant.item = item
        way.variant.save()
        way.variant.groups.set(way.groups)
    refuse_circle(organization_id=item.organization_id)
    _trace("exam_item", item, new=new, before=before, after=_words_of(item.pk), by=by, now=now)
    return item


def _words_of(item_pk: int) -> dict[str, str]:
    item = ExamItem.objects.get(pk=item_pk)
    return words_of_item(item, catalogue.ways().filter(item=item))


@transaction.atomic
def save_set(*, row: ExamSet, lines: Sequence[ExamVariant], seen: int = 0, by: User, now: datetime) -> ExamSet:
    """Leaves an audit row if anything changed. Raises CatalogueChanged."""
    _one_at_a_time(row.organization_id)
    new = row.pk is None
    if not new and catalogue.latest_act(subject_of(row)) != seen:
        raise CatalogueChanged()
    before = {} if new else _words_of_set(row.pk)
    row.pinyin, row.initials = _sounds(row.name)
    row.save()
    row.lines.set(lines)
    _trace("exam_set", row, new=new, before=before, after=_words_of_set(row.pk), by=by, now=now)
    return row


def _words_of_set(pk: int) -> dict[str, str]:
    row = catalogue.sets(ExamSet.objects.values_list("organization", flat=True).get(pk=pk)).get(pk=pk)
    name = row._meta.get_field
    return {
        str(name("name").verbose_name): row.name,
        str(name("programme").verbose_name): row.programme,
        str(name("lines").verbose_name): "、".join(line.name for line in row.lines.all()),
        str(name("active").verbose_name): yes(row.active),
    }


@transaction.atomic
def add_group(*, organization: Organization, name: str, by: User, now: datetime) -> ExamGroup:
    """Leaves an audit row. Twice is once."""
    _one_at_a_time(organization.pk)
    if there := ExamGroup.objects.filter(organization=organization, name=name).first():
        return there
    taken = set(ExamGroup.objects.filter(organization=organization).values_list("code", flat=True))
    row = ExamGroup.objects.create(organization=organization, name=name, code=code_for(name, taken=taken, longest=30))
    audit.record(action="exam_group.written", actor=by, now=now, subject=subject_of(row), detail={"after": name})
    return row


@transaction.atomic
def rename_group(*, row: ExamGroup, name: str, by: User, now: datetime) -> ExamGroup:
    """Rules and questions keep speaking of the same exams. Leaves an audit row."""
    _one_at_a_time(row.organization_id)
    row = ExamGroup.objects.get(pk=row.pk)
    if row.name != name:
        detail = {"before": row.name, "after": name}
        row.name = name
        row.save(update_fields=["name"])
        audit.record(action="exam_group.renamed", actor=by, now=now, subject=subject_of(row), detail=detail)
    return row


def _one_at_a_time(organization_id: int) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def _sounds(name: str) -> tuple[str, str]:
    """As long as the columns are."""
    sounds, initials = pinyin.of_thing(name)
    return sounds[:200], initials[:40]


def _trace(kind: str, row, *, new: bool, before: dict, after: dict, by: User, now: datetime) -> None:
    if new or before != after:
        action = f"{kind}.written" if new else f"{kind}.changed"
        detail = {"before": before, "after": after}
        audit.record(action=action, actor=by, now=now, subject=subject_of(row), detail=detail)
