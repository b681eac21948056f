"""The catalogue's lists as the office reads them (E1, E8)."""

from collections.abc import Iterable

from django.db.models import Prefetch, Q, QuerySet

from exams.models import DeviceAbility, ExamGroup, ExamItem, ExamSet, ExamVariant, Modality
from hospital.models import AuditEvent, PriceItem

MOST = 300
"""Items of one page. A large hospital has some hundreds; whoever wants fewer searches."""


def items(organization_id: int, *, modality: str = "", words: str = "", inactive: bool = False) -> QuerySet[ExamItem]:
    """`words`: part of the name or code, or the start of its pinyin or initials."""
    rows = ExamItem.objects.filter(organization=organization_id)
    if modality in Modality.values:
        rows = rows.filter(modality=modality)
    if not inactive:
        rows = rows.filter(active=True)
    if words := words.strip():
        plain = "".join(words.split()).lower()
        rows = rows.filter(
            Q(name__icontains=words) | Q(code__istartswith=words) | Q(body_part__icontains=words)
            | Q(pinyin__startswith=plain) | Q(initials__startswith=plain)
        )  # fmt: skip
    return rows.prefetch_related(Prefetch("variants", queryset=ways())).order_by("modality", "code")


def ways() -> QuerySet[ExamVariant]:
    """With preparation, groups and the devices that can do them."""
    able = DeviceAbility.objects.filter(device__active=True).select_related("device").order_by("device__code")
    rows = ExamVariant.objects.select_related("item", "preparation")
    return rows.prefetch_related("groups", Prefetch("abilities", queryset=able)).order_by("item_id", "pk")


def sets(organization_id: int) -> QuerySet[ExamSet]:
    lines = ExamVariant.objects.select_related("item").order_by("item__modality", "item__code", "pk")
    rows = ExamSet.objects.filter(organization=organization_id)
    return rows.prefetch_related(Prefetch("lines", queryset=lines)).order_by("-active", "programme", "code")


def groups(organization_id: int) -> QuerySet[ExamGroup]:
    rows = ExamGroup.objects.filter(organization=organization_id)
    members = ExamVariant.objects.filter(active=True, item__active=True).select_related("item").order_by("item__code")
    return rows.prefetch_related(Prefetch("variants", queryset=members)).order_by("pk")


def prices(organization_id: int) -> list[tuple[str, str]]:
    """Code → 名称 金额 of the price that is in force or comes next, for a choice."""
    rows = PriceItem.objects.filter(organization=organization_id).order_by("code", "effective_from")
    return list({row.code: (row.code, f"{row.code} · {row.name} · ¥{row.amount}") for row in rows}.values())


def latest_act(subject: str) -> int:
    """What a form was opened on: the newest act on this row, 0 where nobody did any."""
    acts = AuditEvent.objects.filter(subject=subject).order_by("-pk")
    return acts.values_list("pk", flat=True).first() or 0


def by_kind(variants: Iterable[ExamVariant]) -> dict[str, ExamVariant]:
    return {variant.kind: variant for variant in variants}
