"""价目 (M7): a new price ends the old one the day before, in one act. What was booked keeps the price it was booked at.

Two people of the office wait for each other at the house's row.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from billing.errors import PriceBegun, PriceChangedMeanwhile, PriceInUse, PriceUnchanged
from billing.policies import pricing as policy
from billing.policies.pricing import DAY, Step, Wanted
from billing.selectors import prices
from hospital import audit, clock
from hospital.errors import Refused
from hospital.models import Organization, PriceItem, User


def latest(organization: Organization, code: str) -> int:
    """The newest row of the code, 0 where there is none: what a form was opened on."""
    rows = PriceItem.objects.filter(organization=organization, code=code)
    return max(rows.values_list("pk", flat=True), default=0)


@transaction.atomic
def write(
    *, organization: Organization, wanted: Wanted, seen: int | None = None, by: User, why: str, now: datetime
) -> PriceItem:
    """Raises PriceTooEarly, PriceTooFarAhead, PriceDayTaken, PriceUnchanged, PriceChangedMeanwhile."""
    _one_at_a_time(organization)
    if seen is not None and latest(organization, wanted.code) != seen:
        raise PriceChangedMeanwhile()
    rows = list(prices.of_code(organization, wanted.code))
    found = policy.step(wanted, rows, today=clock.today(now))
    if isinstance(found, Refused):
        raise found
    [row] = _carry_out([(wanted, found)], organization)
    _trace("price.written", row, found.before, by=by, why=why, now=now)
    return row


@transaction.atomic
def bring_in(
    *, organization: Organization, wanted: Sequence[Wanted], by: User, why: str, now: datetime
) -> list[PriceItem]:
    """A whole list, all of it or nothing; what does not change is left alone. Raises what `write` raises, with the
    code in the sentence."""
    _one_at_a_time(organization)
    steps = []
    for one, found in judged(organization, wanted, today=clock.today(now)):
        if isinstance(found, PriceUnchanged):
            continue
        if isinstance(found, Refused):
            raise found
        steps.append((one, found))
    rows = _carry_out(steps, organization)
    if rows:
        audit.record(
            action="price.imported",
            actor=by,
            subject=f"organization:{organization.pk}",
            detail={"rows": len(rows), "codes": [row.code for row in rows][:100], "why": why},
            now=now,
        )
    return rows


def judged(organization: Organization, wanted: Sequence[Wanted], *, today: date) -> list[tuple[Wanted, Step | Refused]]:
    """What each line of a list would do. One query."""
    rows: dict[str, list[PriceItem]] = defaultdict(list)
    for row in PriceItem.objects.filter(organization=organization, code__in={one.code for one in wanted}):
        rows[row.code].append(row)
    return [(one, policy.step(one, rows[one.code], today=today)) for one in wanted]


def _carry_out(steps: Sequence[tuple[Wanted, Step]], organization: Organization) -> list[PriceItem]:
    """First the old ones end, then the new ones begin: the database lets no two of one code overlap."""
    ended = []
    for wanted, step in steps:
        if step.before:
            step.before.effective_to = wanted.first_day - DAY
            ended.append(step.before)
    PriceItem.objects.bulk_update(ended, ["effective_to"], batch_size=500)
    return PriceItem.objects.bulk_create(
        [
            PriceItem(
                organization=organization,
                code=wanted.code,
                name=wanted.name,
                amount=wanted.amount,
                effective_from=wanted.first_day,
                effective_to=step.last_day,
            )
            for wanted, step in steps
        ],
        batch_size=500,
    )


@transaction.atomic
def withdraw(*, price: PriceItem, by: User, why: str, now: datetime) -> PriceItem | None:
    """Take back a price that has not begun; the one before goes on in its place and is returned. Raises PriceBegun."""
    _one_at_a_time(price.organization)
    row = PriceItem.objects.filter(pk=price.pk).first()
    if row is None:
        raise PriceChangedMeanwhile()
    if refusal := policy.refusal_to_withdraw(row, today=clock.today(now)):
        raise refusal
    before = prices.of_code(row.organization, row.code).filter(effective_to=row.effective_from - DAY).first()
    _trace("price.withdrawn", row, before, by=by, why=why, now=now)
    until = row.effective_to
    row.delete()
    if before:
        before.effective_to = until
        before.save(update_fields=["effective_to"])
    return before


@transaction.atomic
def end(*, price: PriceItem, last_day: date, by: User, why: str, now: datetime) -> PriceItem:
    """停用: the code has no price from the next day on. Raises PriceInUse while something that can be booked costs it,
    PriceBegun for a day that has passed or a price that ended."""
    _one_at_a_time(price.organization)
    row = PriceItem.objects.get(pk=price.pk)
    if users := prices.users_of(row.organization, {row.code}).get(row.code):
        raise PriceInUse(code=row.code, users="、".join(users[1][:3]))
    if last_day < clock.today(now) or last_day < row.effective_from or row.effective_to is not None:
        raise PriceBegun()
    row.effective_to = last_day
    row.save(update_fields=["effective_to"])
    _trace("price.ended", row, None, by=by, why=why, now=now)
    return row


def _one_at_a_time(organization: Organization) -> None:
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _trace(action: str, row: PriceItem, before: PriceItem | None, *, by: User, why: str, now: datetime) -> None:
    detail = {"after": _said(row), "before": _said(before) if before else {}, "why": why, "code": row.code}
    audit.record(action=action, actor=by, now=now, subject=f"priceitem:{row.pk}", detail=detail)


def _said(row: PriceItem) -> dict[str, str]:
    """In words, as the trail shows them."""
    names = {"code": row.code, "name": row.name, "amount": str(row.amount), "effective_from": str(row.effective_from)}
    if row.effective_to:
        names["effective_to"] = str(row.effective_to)
    return {str(row._meta.get_field(name).verbose_name): value for name, value in names.items()}
