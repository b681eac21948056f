"""P6: when a release may be held back or brought forward. No database: rows as they stand."""

from datetime import timedelta

import pytest

from appointments import errors
from appointments.models import Allotment, Pool, Schedule
from appointments.policies import release as policy
from tests.factories import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VISIT = Schedule(pk=1, starts_at=NOW + 8 * DAY)
RELEASE = NOW + DAY


def row(pk, kind, opens_at, *, shared=None, opened=None, moved=None):
    pool = Pool(pk=pk, kind=kind, name=str(Pool.Kind(kind).label))
    return Allotment(pk=pk, pool=pool, opens_at=opens_at, shared_from=shared, opened_at=opened, moved_at=moved)


def usual():
    """Partners are open until the public opens; the consult room keeps its own until six days later."""
    return {
        "public": row(1, "public", RELEASE),
        "partner": row(2, "partner", NOW - 2 * DAY, shared=RELEASE, opened=NOW - 2 * DAY),
        "consult": row(3, "consult", NOW - 80 * DAY, shared=NOW + 6 * DAY, opened=NOW - 80 * DAY),
        "counter": row(4, "counter", NOW + 7 * DAY, shared=VISIT.starts_at),
    }


def hold(moment, *kinds, rows=None, now=NOW):
    rows = rows or usual()
    shifts = policy.hold(VISIT, list(rows.values()), chosen=[rows[kind] for kind in kinds], moment=moment, now=now)
    return {(shift.allotment.pool.kind, shift.field, shift.to) for shift in shifts}


def bring(moment, *kinds, rows=None, now=NOW):
    rows = rows or usual()
    shifts = policy.bring_forward(VISIT, list(rows.values()), kinds=kinds, moment=moment, now=now)
    return {(shift.allotment.pool.kind, shift.field, shift.to) for shift in shifts}


def test_what_would_be_shared_before_waits_with_the_public_pool_and_nothing_else():
    later = RELEASE + 2 * DAY

    assert hold(later, "public") == {("public", "opens_at", later), ("partner", "shared_from", later)}
    assert hold(RELEASE + 6 * DAY, "public") == {
        ("public", "opens_at", RELEASE + 6 * DAY),
        ("partner", "shared_from", RELEASE + 6 * DAY),
        ("consult", "shared_from", RELEASE + 6 * DAY),
    }


@pytest.mark.parametrize(
    ("moment", "kinds", "refusal"),
    [
        (NOW, ["public"], errors.MomentPassed),
        (NOW + timedelta(seconds=60), ["public"], errors.MomentPassed),
        (VISIT.starts_at, ["public"], errors.VisitBegins),
        (RELEASE + DAY, ["public", "partner"], errors.OpenAlready),
        (RELEASE, ["public"], errors.NotLater),
        (RELEASE - HOUR, ["public"], errors.NotLater),
    ],
)
def test_a_hold_that_is_no_hold_is_refused(moment, kinds, refusal):
    with pytest.raises(refusal):
        hold(moment, *kinds)


def test_a_pool_is_not_held_until_after_its_recall():
    rows = usual() | {"partner": row(2, "partner", RELEASE, shared=RELEASE + 3 * DAY)}

    assert hold(RELEASE + DAY, "partner", rows=rows) == {("partner", "opens_at", RELEASE + DAY)}
    with pytest.raises(errors.RecalledBefore):
        hold(RELEASE + 3 * DAY, "partner", rows=rows)


@pytest.mark.parametrize("marks", [{"moved": NOW - HOUR}, {}], ids=["moved", "the job is late"])
def test_what_is_public_already_is_not_taken_back(marks):
    rows = usual() | {"partner": row(2, "partner", NOW - DAY, shared=NOW - HOUR, opened=NOW - DAY, **marks)}

    with pytest.raises(errors.SharedAlready):
        hold(RELEASE + DAY, "public", rows=rows)


def test_a_release_in_the_next_minute_stands():
    with pytest.raises(errors.OpenAlready):
        hold(RELEASE + DAY, "public", now=RELEASE - timedelta(seconds=60))


def test_pools_are_shared_and_the_public_one_opens_at_the_earlier_moment():
    sooner = NOW + HOUR

    assert bring(sooner, "public") == {("public", "opens_at", sooner)}
    assert bring(sooner, "public", "partner", "consult") == {
        ("public", "opens_at", sooner),
        ("partner", "shared_from", sooner),
        ("consult", "shared_from", sooner),
    }
    assert bring(RELEASE + DAY, "partner", "consult") == {("consult", "shared_from", RELEASE + DAY)}


def test_a_pool_that_is_never_shared_is_shared():
    rows = usual() | {"consult": row(3, "consult", NOW - DAY, opened=NOW - DAY)}

    assert bring(RELEASE, "consult", rows=rows) == {("consult", "shared_from", RELEASE)}


@pytest.mark.parametrize(
    ("moment", "kinds", "refusal"),
    [
        (NOW + timedelta(seconds=30), ["public"], errors.MomentPassed),
        (VISIT.starts_at + HOUR, ["consult"], errors.VisitBegins),
        (NOW + HOUR, ["consult"], errors.PublicStillClosed),
        (NOW + HOUR, ["public", "counter"], errors.StillClosed),
        (RELEASE + DAY, ["public", "partner"], errors.NothingToBringForward),
    ],
)
def test_a_release_out_of_order_is_refused(moment, kinds, refusal):
    with pytest.raises(refusal):
        bring(moment, *kinds)


@pytest.mark.parametrize(("team", "refusal"), [(1, errors.TeamNumbersStay), (None, errors.NothingToBringForward)])
def test_where_nothing_is_public_more_is_not_released_to_the_public(team, refusal):
    visit = Schedule(pk=2, starts_at=VISIT.starts_at, gate_team_id=team)
    rows = [row(9, "team", NOW - DAY)]

    with pytest.raises(refusal) as refused:
        policy.bring_forward(visit, rows, kinds=["partner"], moment=NOW + HOUR, now=NOW)
    assert "  " not in refused.value.in_full  # nothing is left out of the sentence
