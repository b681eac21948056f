"""Writing the starter catalogue into an organization."""

from datetime import datetime

from django.db import transaction

from appointments.services.defaults import FIRST_DAY
from exams.models import (
    ExamGroup,
    ExamItem,
    ExamRule,
    ExamSet,
    ExamVariant,
    OrderingRule,
    Preparation,
    ScreeningAnswer,
    ScreeningQuestion,
)
from hospital import audit, clock, pinyin
from hospital.models import Organization, PriceItem, User

from .items import GROUPS, ITEMS, SETS, Item, Way
from .leaflets import LEAFLETS
from .orders import ORDERS
from .questions import QUESTIONS, Question

SOURCE = "初始检查规则表（2026 版），由医院核对后使用"


@transaction.atomic
def give(*, organization: Organization, by: User, now: datetime) -> int:
    """Groups, preparations, items with prices, questions, ordering rules and sets that the house has not yet; how many
    rows of them were written. What the office changed or retired stays as it is, so repeating it is harmless.

    Everything is approved by `by`, who answers for it. Leaves an audit row if anything was written.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    signed = {"organization": organization, "source": SOURCE, "approved_by": by, "approved_at": now}
    written = _groups(organization)
    groups = dict(ExamGroup.objects.filter(organization=organization).values_list("code", "pk"))
    written += _leaflets(signed)
    written += _items(organization, groups)
    written += _prices(organization, now)
    items = dict(ExamItem.objects.filter(organization=organization).values_list("code", "pk"))
    written += _questions(signed, groups, items)
    written += _orders(signed, groups)
    written += _sets(organization)
    written += _numbers(organization)
    if written:
        audit.record(
            action="exam_catalogue.given", actor=by, now=now,
            subject=f"organization:{organization.pk}", detail={"rows": written},
        )  # fmt: skip
    return written


def _numbers(organization: Organization) -> int:
    """The house's own numbers, in force from before the first exam."""
    if ExamRule.objects.filter(organization=organization).exists():
        return 0
    ExamRule.objects.create(organization=organization, effective_from=FIRST_DAY)
    return 1


def _known(model, organization: Organization, field: str) -> set[str]:
    """Of signed rows every version counts: what was retired is not given again."""
    return set(model.objects.filter(organization=organization).values_list(field, flat=True))


def _groups(organization: Organization) -> int:
    known = _known(ExamGroup, organization, "code")
    rows = [
        ExamGroup(organization=organization, code=code, name=name) for code, name in GROUPS.items() if code not in known
    ]
    return len(ExamGroup.objects.bulk_create(rows))


def _leaflets(signed: dict) -> int:
    known = _known(Preparation, signed["organization"], "name")
    rows = [
        Preparation(
            name=each.name, text=each.text, fast_minutes=each.fast, latest_start=each.latest,
            lead_minutes=each.lead, full_bladder=each.full_bladder, escort=each.escort, **signed,
        )
        for each in LEAFLETS.values() if each.name not in known
    ]  # fmt: skip
    return len(Preparation.objects.bulk_create(rows))


def _items(organization: Organization, groups: dict[str, int]) -> int:
    known = _known(ExamItem, organization, "code")
    new = {each.code: each for each in ITEMS if each.code not in known}
    rows = ExamItem.objects.bulk_create(_item(each, organization) for each in new.values())
    preparations = dict(
        Preparation.objects.filter(organization=organization, approved_at__isnull=False, retired_at__isnull=True)
        .order_by("pk").values_list("name", "pk")
    )  # fmt: skip
    ways = [(row, way) for row in rows for way in new[row.code].ways]
    variants = ExamVariant.objects.bulk_create(_variant(row, way, preparations) for row, way in ways)
    link = ExamVariant.groups.through
    link.objects.bulk_create(
        link(examvariant_id=variant.pk, examgroup_id=groups[code])
        for variant, (_row, way) in zip(variants, ways, strict=True)
        for code in way.groups
    )
    return len(rows) + len(variants)


def _item(each: Item, organization: Organization) -> ExamItem:
    sounds, initials = pinyin.of_thing(each.name)
    return ExamItem(
        organization=organization, code=each.code, name=each.name, pinyin=sounds, initials=initials,
        modality=each.modality, body_part=each.body_part, equivalence=each.code, valid_days=each.valid_days,
        result_minutes=each.result_minutes, simple=each.simple,
    )  # fmt: skip


def _variant(row: ExamItem, way: Way, preparations: dict[str, int]) -> ExamVariant:
    name = LEAFLETS[way.preparation].name if way.preparation else ""
    return ExamVariant(
        item=row, kind=way.kind, minutes=way.minutes, before=way.before, after=way.after,
        price_code=price_code(row.code, way.kind), preparation_id=preparations.get(name),
    )  # fmt: skip


def price_code(item: str, kind: str) -> str:
    """EX-CT01, EX-CT01-C for contrast."""
    return f"EX-{item}" if kind == ExamVariant.Kind.PLAIN else f"EX-{item}-{kind[0].upper()}"


def _prices(organization: Organization, now: datetime) -> int:
    """A price for every way that has none; a code the house prices already keeps its prices."""
    known = _known(PriceItem, organization, "code")
    names = dict(ExamVariant.Kind.choices)
    rows = []
    for each in ITEMS:
        for way in each.ways:
            code = price_code(each.code, way.kind)
            if code not in known:
                name = each.name if way.kind == ExamVariant.Kind.PLAIN else f"{each.name}（{names[way.kind]}）"
                rows.append(PriceItem(
                    organization=organization, code=code, name=name, amount=way.amount,
                    effective_from=clock.today(now),
                ))  # fmt: skip
    return len(PriceItem.objects.bulk_create(rows))


def _questions(signed: dict, groups: dict[str, int], items: dict[str, int]) -> int:
    known = _known(ScreeningQuestion, signed["organization"], "code")
    new = [each for each in QUESTIONS if each.code not in known]
    rows = ScreeningQuestion.objects.bulk_create(
        ScreeningQuestion(
            code=each.code, text=each.text, hint=each.hint, sex=each.sex, min_age=each.min_age, max_age=each.max_age,
            order=10 * place, before_booking=each.before_booking, **signed | {"source": each.source or SOURCE},
        )
        for place, each in enumerate(QUESTIONS, start=1) if each in new
    )  # fmt: skip
    pairs = list(zip(rows, new, strict=True))
    ScreeningAnswer.objects.bulk_create(answer for row, each in pairs for answer in _answers(row, each, items))
    link = ScreeningQuestion.groups.through
    link.objects.bulk_create(
        link(screeningquestion_id=row.pk, examgroup_id=groups[code]) for row, each in pairs for code in each.groups
    )
    return len(rows)


def _answers(row: ScreeningQuestion, each: Question, items: dict[str, int]) -> list[ScreeningAnswer]:
    return [
        ScreeningAnswer(
            question=row, code=answer.code, text=answer.text, effect=answer.effect, sentence=answer.sentence,
            first_id=items[answer.first] if answer.first else None, order=10 * place,
        )
        for place, answer in enumerate(each.answers, start=1)
    ]  # fmt: skip


def _orders(signed: dict, groups: dict[str, int]) -> int:
    known = _known(OrderingRule, signed["organization"], "name")
    asked = ScreeningQuestion.objects.filter(organization=signed["organization"]).order_by("pk")
    questions = dict(asked.values_list("code", "pk"))
    rows = [
        OrderingRule(
            name=each.name, why=each.why, first_group_id=groups[each.first], second_group_id=groups[each.second],
            forward=each.forward[0], forward_minutes=each.forward[1],
            reverse=each.reverse[0], reverse_minutes=each.reverse[1], one_sitting=each.one_sitting,
            question_id=questions[each.question] if each.question else None, answers=list(each.answers), **signed,
        )
        for each in ORDERS if each.name not in known
    ]  # fmt: skip
    return len(OrderingRule.objects.bulk_create(rows))


def _sets(organization: Organization) -> int:
    known = _known(ExamSet, organization, "code")
    new = [each for each in SETS if each.code not in known]
    variants = {
        (code, kind): pk
        for code, kind, pk in ExamVariant.objects.filter(item__organization=organization)
        .values_list("item__code", "kind", "pk")
    }  # fmt: skip
    rows = []
    for each in new:
        sounds, initials = pinyin.of_thing(each.name)
        rows.append(ExamSet(organization=organization, code=each.code, name=each.name, programme=each.programme,
                            pinyin=sounds, initials=initials))  # fmt: skip
    rows = ExamSet.objects.bulk_create(rows)
    link = ExamSet.lines.through
    link.objects.bulk_create(
        link(examset_id=row.pk, examvariant_id=variants[line])
        for row, each in zip(rows, new, strict=True)
        for line in each.lines
        if line in variants
    )
    return len(rows)
