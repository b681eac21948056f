"""Publishing a draft: what was ticked, some days in a transaction; what is left after a restart goes on from there.

A day is whole or untouched: nothing of one day stands in the way of another's, and bookings of a quarter's numbers
need not wait for a whole house. What no longer is as the office saw it is refused by itself, line by line.
"""

from datetime import date, datetime
from time import monotonic

import structlog
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Q

from appointments.errors import DraftStale
from appointments.models import DraftLine, LayoutDraft, ScheduleTemplate
from appointments.services.allocation import Allocation
from appointments.services.alone import alone
from hospital import audit
from hospital.models import User

from .compare import Comparison, Wanted, compare
from .days import Done, done_of, publish_days
from .making import locked, look, look_again

log = structlog.get_logger(__name__)

LOCK = 7_313_004  # with the draft's id
NAMED = 3  # of what changed since, in the refusal
LOOKED_AT_IN_A_REQUEST = 3000
"""Lines: a whole house's week. The look at more takes longer than somebody should wait for a page."""

LINES_AT_ONCE = 300
"""Whole days are taken together up to so many lines: some 8,000 numbers, about a second."""

LONGEST = 60
"""Seconds that one worker goes on before it leaves the rest to the next round: by then it is later than `now`."""

ADOPT = """
UPDATE appointments_schedule s SET template_id = v.template
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS v (id, was, template)
 WHERE s.id = v.id AND s.template_id = v.was
"""

Status, Outcome = LayoutDraft.Status, DraftLine.Outcome


def publish(*, draft: LayoutDraft, by: User, now: datetime, seconds: float = LONGEST) -> LayoutDraft:
    """Make the ticked lines true: for so many seconds here, the rest by a worker. A whole house's draft is the
    worker's from the first look on.

    Raises DraftDecided when somebody was quicker, DraftStale when the templates or the schedules are not what the
    draft was made from any more; then nothing is done. `making.look_again` shows which lines.
    """
    started = start(draft=draft, by=by, now=now)
    try:
        if "looked" in started.result:
            go_on(draft=started, now=now, seconds=seconds)
    except OperationalError as error:  # somebody held a number for too long: the worker tries again
        log.warning("publishing_waits", draft=draft.pk, error=type(error).__name__)
    started.refresh_from_db()
    return started


@transaction.atomic
def start(*, draft: LayoutDraft, by: User, now: datetime) -> LayoutDraft:
    """From here on it is decided. Raises DraftDecided, DraftStale."""
    draft = locked(draft)
    draft.status, draft.decided_by, draft.decided_at = Status.PUBLISHING, by, now
    if draft.lines.count() <= LOOKED_AT_IN_A_REQUEST and (what := _confirm(draft, now=now)):
        raise DraftStale(what=what)
    draft.save(update_fields=["status", "decided_by", "decided_at", "result"])
    return draft


def _confirm(draft: LayoutDraft, *, now: datetime) -> str:
    """What is not as it was when the draft was made; where all is, what is not ticked is settled: it stays."""
    found = look(draft, now=now)
    if found.digest != draft.digest:
        return _what_changed(draft, found)
    draft.result = vars(Done()) | {"looked": True}
    untaken = draft.lines.filter(Q(take=False) | Q(action=DraftLine.Action.CONFLICT))
    untaken.update(outcome=Outcome.LEFT)
    return ""


@transaction.atomic
def _look_first(draft: LayoutDraft, *, now: datetime) -> bool:
    """By the worker. A draft that is not true any more is the office's again, with what changed to be looked at."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    what = _confirm(draft, now=now)
    if what:
        draft.status, draft.decided_by, draft.decided_at = Status.DRAFT, None, None
        draft.result = {"stale": what}
    draft.save(update_fields=["status", "decided_by", "decided_at", "result"])
    if what:
        look_again(draft=draft, now=now)
    return not what


def _what_changed(draft: LayoutDraft, found: Comparison) -> str:
    before = {(row.action, row.template_id, row.day, str(row.differences)): row.name for row in draft.lines.all()}
    after = {(line.action, line.template, line.day, str(line.differences)): line.name for line in found.lines}
    other = sorted({(before | after)[key] for key in before.keys() ^ after.keys()})
    return "、".join(other[:NAMED]) or str(draft.department or draft.organization)


def continue_all(*, now: datetime) -> None:
    """Every draft under way: what a request did not finish, or a worker that died."""
    for draft in LayoutDraft.objects.filter(status=Status.PUBLISHING).order_by("pk"):
        try:
            go_on(draft=draft, now=now)
        except Exception as error:  # the others go on; this one is tried again in the next round
            log.exception("publishing_stopped", draft=draft.pk, error=type(error).__name__)


def go_on(*, draft: LayoutDraft, now: datetime, seconds: float = LONGEST) -> None:
    """Some days after the other, until none waits or the time is over; then the templates count."""
    with alone(LOCK, draft.pk) as mine:
        draft = LayoutDraft.objects.select_related("organization", "decided_by").get(pk=draft.pk)
        if not mine or draft.status != Status.PUBLISHING:
            return
        if "looked" not in draft.result and not _look_first(draft, now=now):
            return
        until, allocation = monotonic() + seconds, Allocation(draft.organization)
        wanted = Wanted(draft)
        while span := _next_days(draft):
            if monotonic() > until:
                return
            publish_days(draft, wanted, *span, allocation=allocation, now=now)
        _settle(draft, now=now)


def _next_days(draft: LayoutDraft) -> tuple[date, date] | None:
    rows = draft.lines.filter(outcome=Outcome.WAITING).order_by("day").values_list("day")
    first = last = None
    lines = 0
    for day, count in rows.annotate(count=Count("pk")):
        if first is not None and lines + count > LINES_AT_ONCE:
            break
        first, last, lines = first or day, day, lines + count
    return (first, last) if first else None


@transaction.atomic
def _settle(draft: LayoutDraft, *, now: datetime) -> None:
    """The templates count from now on, what goes on under a changed pattern is told so, and the trail is written."""
    draft = LayoutDraft.objects.select_for_update(no_key=True).get(pk=draft.pk)
    rows = ScheduleTemplate.objects.filter(organization=draft.organization)
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    wanted = Wanted(draft)
    found = compare(wanted=wanted, first_day=draft.first_day, last_day=draft.last_day, now=now)
    published = _published_templates(draft, found, wanted)
    rows.filter(pk__in=published, published_at__isnull=True).update(published_at=now)
    counted = published | {template.pk for template in wanted.templates if template.published_at}
    _adopt([(row.pk, row.template_id, template) for row, template in found.adopted if template in counted])
    draft.status = Status.PUBLISHED
    draft.save(update_fields=["status"])
    left = draft.lines.filter(outcome=Outcome.LEFT).count()
    detail = {"after": vars(done_of(draft)) | {"left": left}, "templates": sorted(published)}
    audit.record(action="draft.published", actor=draft.decided_by, now=now, subject=f"draft:{draft.pk}", detail=detail)


def _adopt(rows: list[tuple[int, int, int]]) -> None:
    """(schedule, the template it was laid by, the one that goes on with it)"""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(ADOPT, [list(column) for column in zip(*rows, strict=True)])


def _published_templates(draft: LayoutDraft, found: Comparison, wanted: Wanted) -> set[int]:
    """A new pattern counts when one of its days was taken, or when it differs nowhere from what stands. One that the
    office left out wholly waits for the next draft, and so does one that says something else by now."""
    rows = list(draft.lines.values_list("template_id", "schedule_id", "day", "outcome"))
    looked_at = {(template, schedule, day) for template, schedule, day, _outcome in rows}
    other = {line.template for line in found.lines if line.place not in looked_at}
    with_lines = {template for template, *_rest in rows}
    done = {template for template, _schedule, _day, outcome in rows if outcome == Outcome.DONE}
    standing = {template for _schedule, template in found.adopted}
    agreeing = {row.pk for row in wanted.templates if row.pk in standing and row.pk not in with_lines}
    return (done | agreeing) - other - {None}
