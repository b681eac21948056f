"""Putting medical data in force (E4): written by one person, approved by another, replaced and never rewritten.

A change is a new row; the old one stays in force until the new one is approved. Two people of the office wait for each
other at the house's row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from exams.errors import AlreadyDrafted, CatalogueUnsound, OrderInACircle, SignedOver, StillUsed
from exams.models import ExamGroup, ExamItem, ExamVariant, OrderingRule, Preparation, ScreeningAnswer, ScreeningQuestion
from exams.models.signed import Signed
from exams.policies import signing as policy
from exams.policies.ordering import cycle
from exams.selectors import ordering, signed
from exams.selectors.sentences import words_of
from hospital import audit, pinyin
from hospital.models import Organization, User

ARROW = " → "


@dataclass(frozen=True)
class Parts:
    """What hangs on a question: which exams it is asked of, and its answers (unsaved; those kept carry their code)."""

    groups: Sequence[ExamGroup] = ()
    items: Sequence[ExamItem] = ()
    answers: Sequence[ScreeningAnswer] = ()


NOTHING = Parts()


@transaction.atomic
def write(
    *, row: Signed, parts: Parts = NOTHING, instead_of: Signed | None = None, by: User, why: str, now: datetime
) -> Signed:
    """Save a version that waits for approval. `instead_of`: the version it was made from; one in force goes on until
    the new one is approved, one that waits itself is discarded.

    Leaves an audit row. Raises CatalogueUnsound, OrderInACircle, AlreadyDrafted, SignedOver, StillUsed.
    """
    _one_at_a_time(row)
    base = _as_it_is(instead_of) if instead_of is not None else None
    if base is not None:
        row.replaces = base if base.in_force else base.replaces
        if base.in_force and signed.draft_of(base):
            raise AlreadyDrafted()
    if base is None and (twin := _twin(row, parts)):
        return twin
    if problems := policy.problems_of(row, parts.answers):
        raise CatalogueUnsound(what=problems[0].sentence)
    if isinstance(row, ScreeningQuestion):
        _give_codes(row, base, parts.answers)
    _check(row, parts.answers)
    row.approved_by = row.approved_at = row.retired_at = None
    row.save(force_insert=True)
    if isinstance(row, ScreeningQuestion):
        _hang_on(row, parts)
    if base is not None and not base.in_force:
        _end(base, signed.DISCARDED, by=by, why=why, now=now)
    _trace(signed.WRITTEN, row, by=by, now=now, why=why)
    return row


def _twin(row: Signed, parts: Parts) -> Signed | None:
    """A double click: the very same new one, which waits already."""
    given = {"id", "code", "replaces_id", "approved_by_id", "approved_at", "retired_at"}
    said = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    same = {name: value for name, value in said.items() if name not in given}
    rows = signed.rows_of(type(row)).filter(signed.WAITING, replaces=None, **same)
    if isinstance(row, ScreeningQuestion):
        answers = [answer.text for answer in parts.answers]
        return next((each for each in rows if [answer.text for answer in each.answers.all()] == answers), None)
    return rows.first()


@transaction.atomic
def approve(*, row: Signed, by: User, now: datetime) -> Signed:
    """Put a waiting version in force, and what it replaces out of it. Exams prepared by an old leaflet get the new one.

    Leaves an audit row each. Raises SignedOver, NeedsSecondPerson, OrderInACircle, StillUsed, CatalogueUnsound.
    """
    _one_at_a_time(row)
    row = _as_it_is(row)
    if refusal := policy.refusal_to_approve(row, by_id=by.pk, author_id=signed.author_of(row)):
        raise refusal
    before = row.replaces
    if before is not None and not before.in_force:
        raise SignedOver()
    _check(row, list(row.answers.all()) if isinstance(row, ScreeningQuestion) else [])
    if before is not None:
        _end(before, signed.RETIRED, by=by, why=_("由新的一版代替"), now=now, replaced_by=row.pk)
    row.approved_by, row.approved_at = by, now
    row.save(update_fields=["approved_by", "approved_at"])
    if isinstance(row, Preparation) and before is not None:
        ExamVariant.objects.filter(preparation=before).update(preparation=row)
    _trace(signed.APPROVED, row, by=by, now=now, replaces=before.pk if before else None)
    return row


@transaction.atomic
def retire(*, row: Signed, by: User, why: str, now: datetime) -> Signed:
    """Out of force at once, without a successor; a version that waits is discarded. Nothing is deleted.

    Leaves an audit row. Raises SignedOver, AlreadyDrafted, StillUsed.
    """
    _one_at_a_time(row)
    row = _as_it_is(row)
    if not row.in_force:
        _end(row, signed.DISCARDED, by=by, why=why, now=now)
        return row
    if signed.draft_of(row):
        raise AlreadyDrafted()
    if isinstance(row, Preparation):
        _nobody_prepares_by(row)
    if isinstance(row, ScreeningQuestion):
        _no_rule_asks(row, without=None)
    _end(row, signed.RETIRED, by=by, why=why, now=now)
    return row


def _one_at_a_time(row: Signed) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=row.organization_id)


def _as_it_is(row: Signed) -> Signed:
    """Read after the wait: a colleague may have been quicker."""
    fresh = signed.rows_of(type(row)).get(pk=row.pk)
    if fresh.retired_at is not None:
        raise SignedOver()
    return fresh


def _check(row: Signed, answers: Sequence[ScreeningAnswer]) -> None:
    """What only the other rows know, at writing and again at approving: they may have changed between."""
    if isinstance(row, OrderingRule):
        _asks_what_is_asked(row)
        refuse_circle(organization_id=row.organization_id, rule=row)
    if isinstance(row, ScreeningQuestion) and row.replaces_id:
        _no_rule_asks(row.replaces, without={answer.code for answer in answers})


def refuse_circle(*, organization_id: int, rule: OrderingRule | None = None) -> None:
    """The rules in force, and this one instead of what it replaces, must leave an order for everything."""
    rules = ordering.rules_in_force(organization_id)
    if rule is not None:
        rules = [each for each in rules if each.pk not in {rule.pk, rule.replaces_id}] + [rule]
    if found := cycle(rules, ordering.everything(organization_id)):
        raise OrderInACircle(circle=ARROW.join(found))


def _asks_what_is_asked(rule: OrderingRule) -> None:
    """A rule for some answers names a question that is asked, and answers that it offers."""
    if rule.question is None:
        return
    asked = ScreeningQuestion.objects.filter(
        signed.IN_FORCE, organization=rule.organization_id, code=rule.question.code
    ).first()
    if asked is None:
        raise CatalogueUnsound(what=_("“仅当”的问题已停用，请另选一个。"))
    if not set(rule.answers) <= set(asked.answers.values_list("code", flat=True)):
        raise CatalogueUnsound(what=_("“仅当”的答案已不在这个问题里，请重新勾选。"))


def _no_rule_asks(question: ScreeningQuestion, *, without: set[str] | None) -> None:
    """Rules that go by a question's answers keep it. `without`: what the next version still offers; None: nothing."""
    rules = OrderingRule.objects.filter(
        signed.IN_FORCE, organization=question.organization_id, question__code=question.code
    )
    lost = [rule.name for rule in rules if without is None or not set(rule.answers) <= without]
    if lost:
        raise StillUsed(what=_("检查顺序“%(rules)s”以它的答案为条件。") % {"rules": _("”、“").join(lost)})


def _nobody_prepares_by(row: Preparation) -> None:
    used = [variant.name for variant in row.variants.filter(active=True).select_related("item")[:3]]
    if used:
        raise StillUsed(what=_("“%(exams)s”等检查还在用这份准备。") % {"exams": _("”、“").join(used)})


def _give_codes(row: ScreeningQuestion, base: ScreeningQuestion | None, answers: Sequence[ScreeningAnswer]) -> None:
    """Answers are kept by code for good, so a code stays with its question and is made once, from the words."""
    if base is not None:
        row.code = base.code
    elif not row.code:
        taken = set(ScreeningQuestion.objects.filter(organization=row.organization_id).values_list("code", flat=True))
        row.code = code_for(row.text, taken=taken, longest=30)
    taken = {answer.code for answer in answers if answer.code}
    for answer in answers:
        if not answer.code:
            answer.code = code_for(answer.text, taken=taken, longest=20)
            taken.add(answer.code)


def code_for(text: str, *, taken: set[str], longest: int) -> str:
    """The initials of the words, numbered where they are taken: 是否怀孕 → sfhy, sfhy-2."""
    stem = "".join(sign for sign in pinyin.of_thing(text)[1] if sign.isascii())[: longest - 4] or "q"
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code


def _hang_on(row: ScreeningQuestion, parts: Parts) -> None:
    row.groups.set(parts.groups)
    row.items.set(parts.items)
    for place, answer in enumerate(parts.answers, start=1):
        answer.pk, answer.question, answer.order = None, row, 10 * place
    ScreeningAnswer.objects.bulk_create(parts.answers)


def _end(row: Signed, action: str, *, by: User, why: str, now: datetime, **more) -> None:
    row.retired_at = now
    row.save(update_fields=["retired_at"])
    _trace(action, row, by=by, now=now, why=why, **more)


def _trace(action: str, row: Signed, *, by: User, now: datetime, **detail) -> None:
    if action == signed.WRITTEN:
        fresh = signed.rows_of(type(row)).get(pk=row.pk)
        detail["after"] = words_of(fresh)
        if row.replaces_id:
            detail["before"] = words_of(signed.rows_of(type(row)).get(pk=row.replaces_id))
    audit.record(action=action, actor=by, now=now, subject=signed.subject_of(row), detail=detail)
