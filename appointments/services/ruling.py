"""Writing rules: a change is a new dated row, the old one ends the day before. What was decided stays decided.

Two people of the office wait for each other at the house's row; who comes second hears that something changed.
"""

from collections.abc import Sequence
from copy import copy
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.errors import RuleChangedMeanwhile, RuleDayTaken, RuleOver, RuleUnsound
from appointments.models import BookingRule, ChannelRule, ConsultLevelRule, SupplyRule, SupplyShare
from appointments.models.rules import Dated, Scoped
from appointments.policies import rules as policy
from appointments.selectors import rulebook, rules
from hospital import audit, clock
from hospital.models import Organization, User

DAY = timedelta(days=1)


def problems_of(rule: Dated, shares: Sequence[SupplyShare] = ()) -> list[policy.Problem]:
    """What a rule of this kind may not say."""
    match rule:
        case SupplyRule():
            return policy.problems_of_shares(shares)
        case BookingRule():
            return policy.problems_of_booking(rule)
        case ChannelRule():
            return policy.problems_of_channel(rule.channel, rule.kinds)
        case ConsultLevelRule():
            return policy.problems_of_levels(rule.levels)
    return []  # dated numbers of another app, judged by its own form


def latest(rule: Dated) -> int:
    """The newest row of the rule's scope, 0 where there is none: what a form was opened on."""
    return max(rulebook.same_scope(rule).values_list("pk", flat=True), default=0)


@transaction.atomic
def write(
    *,
    rule: Dated,
    shares: Sequence[SupplyShare] = (),
    seen: int | None = None,
    by: User,
    why: str,
    now: datetime,
) -> Dated:
    """Put a new row in force from its first day. `seen`: what `latest` said when the form was opened.

    The row in force until then ends the day before; where the new one is for a time only, a copy of the old one
    resumes after it. A row that waits for a later day goes on waiting: the new one ends before it.
    Raises RuleUnsound, RuleInThePast, RuleDecidedToday, RuleTooFarAhead, RuleDayTaken, RuleChangedMeanwhile.
    """
    _one_at_a_time(rule)
    if seen is not None and latest(rule) != seen:
        raise RuleChangedMeanwhile()
    today = clock.today(now)
    dates = policy.problems_of_dates(rule.effective_from, rule.effective_to, today=today)
    if found := [*dates, *problems_of(rule, shares)]:
        raise RuleUnsound(what=found[0].sentence)
    decided = rule.effective_from == today and rulebook.decided_today(rule, now=now)
    if refusal := policy.refusal_to_start(rule.effective_from, today=today, decided=decided):
        raise refusal
    rows = list(rulebook.rows_of(type(rule)).filter(pk__in=rulebook.same_scope(rule)).order_by("effective_from", "pk"))
    if any(row.effective_from == rule.effective_from for row in rows):
        raise RuleDayTaken(day=date_format(rule.effective_from, "m-d"))
    after = next((row for row in rows if row.effective_from > rule.effective_from), None)
    if after and (rule.effective_to is None or rule.effective_to >= after.effective_from):
        rule.effective_to = after.effective_from - DAY
    before = _in_force(rows, rule.effective_from)
    _take_over(before, rule, shares, by=by, why=why, now=now)
    _forget()
    return rule


def _in_force(rows: list[Dated], day: date) -> Dated | None:
    held = [row for row in rows if row.effective_from < day and (row.effective_to is None or row.effective_to >= day)]
    return held[-1] if held else None


def _take_over(before: Dated | None, rule: Dated, shares, *, by: User, why: str, now: datetime) -> None:
    words = rulebook.words_of(before) if before else {}
    _save(rule, shares)
    detail = {"before": words, "after": _said(rule), "why": why, "from": str(rule.effective_from)}
    if before is None:
        _trace("rule.written", rule, detail, by=by, now=now)
        return
    until = before.effective_to
    resumes = rule.effective_to is not None and (until is None or until > rule.effective_to)
    old_shares = list(before.shares.all()) if isinstance(before, SupplyRule) else ()
    _set_end(before, rule.effective_from - DAY, action="rule.replaced", by=by, why=why, now=now)
    _trace("rule.written", rule, detail | {"instead_of": before.pk}, by=by, now=now)
    if resumes:
        again = copy(before)
        again.pk, again._state.adding = None, True
        again._prefetched_objects_cache = {}
        again.effective_from, again.effective_to = rule.effective_to + DAY, until
        _save(again, old_shares)
        _trace("rule.written", again, {"after": _said(again), "why": why, "resumes": before.pk}, by=by, now=now)


@transaction.atomic
def end(*, rule: Dated, last_day: date, by: User, why: str, now: datetime) -> Dated:
    """The rule's last day; from the next on the less specific one holds. Only of a department, service or doctor:
    the house's own rule is replaced, never ended.

    Raises RuleUnsound (for a day that can't be its last), RuleOver, RuleChangedMeanwhile.
    """
    rule = _as_it_is(rule)
    today = clock.today(now)
    if not isinstance(rule, Scoped) or not rule.specificity:
        raise RuleOver(why=_("全院的规则不能直接结束，否则之后没有规则可循。"))
    if rule.effective_to and rule.effective_to < today:
        raise RuleOver(why=_("这条规则已经结束了。"))
    if last_day < today:
        raise RuleUnsound(what=_("最后一天不能早于今天。"))
    if last_day < rule.effective_from:
        raise RuleUnsound(what=_("最后一天不能早于生效日；还没生效的规则请用“撤销”。"))
    if rule.effective_to and last_day > rule.effective_to:
        raise RuleUnsound(what=_("规则本来就在此之前结束；要延长请写一条新规则。"))
    _set_end(rule, last_day, action="rule.ended", by=by, why=why, now=now)
    _forget()
    return rule


@transaction.atomic
def withdraw(*, rule: Dated, by: User, why: str, now: datetime) -> Dated | None:
    """Take back a rule that has not begun. The row before it goes on in its place and is returned.

    Raises RuleOver, RuleChangedMeanwhile.
    """
    rule = _as_it_is(rule)
    if rule.effective_from <= clock.today(now):
        raise RuleOver(why=_("这条规则已经生效，不能撤销。"))
    before = rulebook.same_scope(rule).filter(effective_to=rule.effective_from - DAY).last()
    if before is None and _needed(rule):
        raise RuleOver(why=_("它前面没有别的规则，撤销后就没有规则可循。"))
    _trace("rule.withdrawn", rule, {"before": _said(rule), "why": why}, by=by, now=now)
    until, pk = rule.effective_to, rule.pk
    rule.delete()
    if before:
        _set_end(before, until, action="rule.resumed", by=by, why=why, now=now, withdrawn=pk)
    _forget()
    return before


def _needed(rule: Dated) -> bool:
    """Without a row nothing would hold. Another app's numbers have their defaults."""
    return isinstance(rule, tuple(rulebook.KINDS.values())) and not getattr(rule, "specificity", 0)


def _one_at_a_time(rule: Dated) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=rule.organization_id)


def _as_it_is(rule: Dated) -> Dated:
    """Read after the wait: a colleague may have withdrawn it."""
    _one_at_a_time(rule)
    row = rulebook.rows_of(type(rule)).filter(pk=rule.pk).first()
    if row is None:
        raise RuleChangedMeanwhile()
    return row


def _set_end(rule: Dated, day: date | None, *, action: str, by: User, why: str, now: datetime, **more) -> None:
    name = str(rule._meta.get_field("effective_to").verbose_name)
    before, rule.effective_to = rule.effective_to, day
    rule.save(update_fields=["effective_to"])
    detail = {"before": {name: _day(before)}, "after": {name: _day(day)}, "why": why, **more}
    _trace(action, rule, detail, by=by, now=now)


def _day(day: date | None) -> str:
    return f"{day:%F}" if day else "–"


def _save(rule: Dated, shares: Sequence[SupplyShare]) -> None:
    rule.save(force_insert=True)
    rows = [copy(share) for share in shares]
    for row in rows:
        row.pk, row._state.adding, row.rule = None, True, rule
    SupplyShare.objects.bulk_create(rows)


def _said(rule: Dated) -> dict[str, str]:
    return rulebook.words_of(rulebook.rows_of(type(rule)).get(pk=rule.pk))


def _trace(action: str, rule: Dated, detail: dict, *, by: User, now: datetime) -> None:
    audit.record(action=action, actor=by, now=now, subject=rulebook.subject_of(rule), detail=detail)


def _forget() -> None:
    """This process at once, the others within seconds."""
    rules.forget()
    transaction.on_commit(rules.forget, robust=True)
