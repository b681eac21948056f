"""Exams and sets to ask for, found by Chinese name, pinyin or its initials (E2, E8)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, CharField, F, IntegerField, QuerySet, Value, When
from django.db.models.functions import Length

from appointments.selectors.find import matching
from exams.models import ExamRequest, ExamSet, ExamVariant
from hospital.models import Practitioner

MOST = 8
"""Lines of a list."""

KIND_WORDS = {
    ExamVariant.Kind.CONTRAST: ("增强", "zengqiang", "zq"),
    ExamVariant.Kind.SEDATED: ("无痛", "wutong", "wt"),
    ExamVariant.Kind.CHILD: ("儿童", "ertong", "et"),
}
"""How a way is typed before or after the exam: 无痛胃镜, wtwj, CT zq."""

Kind = ExamVariant.Kind


@dataclass(frozen=True)
class Found:
    """One line of a list. `sort`: item (`pk` is the variant's) or set; `note`: modality and part, or the programme."""

    sort: str
    pk: int
    name: str
    note: str

    @property
    def key(self) -> str:
        return f"{self.sort}-{self.pk}"


def search(text: str, *, organization_id: int, most: int = MOST) -> list[Found]:
    """Exams and sets of the hospital that match, the closest first. One query.

    An item comes once, in its plainest way, unless the text names another way (无痛, zq …).
    """
    text = text.strip()
    if not text:
        return []
    rows = _variants(organization_id, text)
    for kind, rest in _kinds_in(text):
        rows = rows.union(_variants(organization_id, rest, kind=kind), all=True)
    rows = rows.union(_sets(organization_id, text), all=True)
    found, seen = [], set()
    for row in rows.order_by("rank", "length", "order", "pk"):
        sort, pk, owner, name, kind, note, rank, _length, _order = row
        if sort == "item" and owner in seen:
            continue
        seen.add(owner if sort == "item" else f"set-{pk}")
        found.append(Found(sort, pk, _named(name, kind), note))
        if len(found) == most:
            break
    return found


def _named(name: str, kind: str) -> str:
    return name if kind in ("", Kind.PLAIN) else f"{name}（{Kind(kind).label}）"


def _kinds_in(text: str) -> list[tuple[str, str]]:
    """(kind, rest) for each way that the text may name."""
    plain = text.lower().replace(" ", "")
    found = []
    for kind, words in KIND_WORDS.items():
        for word in words:
            rest = plain.removeprefix(word) if plain.startswith(word) else plain.removesuffix(word)
            if rest and rest != plain:
                found.append((kind, rest))
                break
    return found


COLUMNS = ("sort", "pk", "owner", "shown", "way", "note", "rank", "length", "order")


def _variants(organization_id: int, text: str, *, kind: str | None = None) -> QuerySet:
    rows = ExamVariant.objects.filter(item__organization=organization_id, item__active=True, active=True)
    rows = matching(rows.filter(kind=kind) if kind else rows, text, path="item__").order_by()
    order = Case(*(When(kind=one, then=place) for place, one in enumerate(Kind.values)), output_field=IntegerField())
    return rows.annotate(
        sort=Value("item"),
        owner=F("item"),
        shown=F("item__name"),
        way=F("kind"),
        note=F("item__modality"),
        length=Length("item__name"),
        order=order,
    ).values_list(*COLUMNS)


def _sets(organization_id: int, text: str) -> QuerySet:
    rows = matching(ExamSet.objects.filter(organization=organization_id, active=True), text).order_by()
    return rows.annotate(
        sort=Value("set"),
        owner=F("pk"),
        shown=F("name"),
        way=Value("", output_field=CharField()),
        note=F("programme"),
        length=Length("name"),
        order=Value(0, output_field=IntegerField()),
    ).values_list(*COLUMNS)


def usual(*, doctor: Practitioner, most: int = MOST) -> list[Found]:
    """Without a search: the house's sets, then what this doctor asked for most lately. Two queries."""
    sets = ExamSet.objects.filter(organization=doctor.organization_id, active=True).order_by("code")[:most]
    found = [Found("set", one.pk, one.name, one.programme) for one in sets]
    newest = (F("pk") + 0).desc()  # else the whole table is read backwards for a doctor who asks for little
    lately = ExamRequest.objects.filter(requester=doctor).order_by(newest).values("variant")[:LATELY]
    rows = (
        ExamVariant.objects.filter(active=True, item__active=True, item__organization=doctor.organization_id)
        .filter(pk__in=lately)
        .select_related("item")[: most - len(found)]
    )
    return found + [Found("item", one.pk, one.name, one.item.modality) for one in rows]


LATELY = 40
"""Requests of a doctor that say what is usual."""


def by_pk(ids: Iterable[int], *, organization_id: int) -> dict[int, ExamVariant]:
    """The variants of these ids that the hospital offers, with what planning and questions need. Three queries."""
    rows = ExamVariant.objects.filter(pk__in=list(ids), item__organization=organization_id)
    rows = rows.select_related("item", "preparation").prefetch_related("groups", "item__variants")
    return {row.pk: row for row in rows}
