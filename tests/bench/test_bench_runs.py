"""`make bench` at a tiny size, so that it does not rot between the days on which somebody measures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from bench.load import Tally
from bench.losers import CLAIM_FIRST, without_the_look
from bench.pages import PAGES
from bench.scratch import Scratch
from bench.table import Row, as_text, compare
from tests import migrated

PROJECT = Path(__file__).resolve().parents[2]
WHOLE = "page {}", "page {}: large ÷ small"
TARGETS = {
    "booking over HTTP ÷ the usual way",
    "booking over HTTP ÷ pgbench",
    "losers in SQL: plain read first ÷ claim first",
    "losers over HTTP ÷ full path",
    "flash crowd: numbers sold",
    "flash crowd: errors",
    "one patient, 50 at once: over the limit",
    "search 7 days: 2 × numbers ÷ 1 ×",
    "search 90 days: 2 × numbers ÷ 1 ×",
    "release: numbers become bookable",
    "generate ÷ bulk_create",
    "generate 90 days ÷ COPY of the same rows",
    "booking p99 during recall ÷ without",
    "booking over HTTP: 2 × numbers and a year of visits ÷ without",
    "flash crowd: numbers sold, large",
    "flash crowd: errors, large",
    "pages with more queries than in the small hospital",
    "the office's week of a whole house",
    "slowest page",
    "trips: best plan ÷ first-come, 4 exams",
    "worklist of 2,000 referrals",
    "worklist: the overdue ones",
    "worklist: its 40th page",
    "figures of 2,000 referrals, a year",
    "referral events pushed to a receiver",
    "reconciliation of 1,000 bill rows, with 40 differences listed",
    "reconciliation of 1,000 bill rows, all of it fits: closed",
    "payment callbacks heard",
    "payment callbacks heard again",
    "paid callback → number confirmed, p50",
    "paid callback → number confirmed, p99",
    "callbacks: paid and not confirmed, or not taken",
    "plans booked in part, 20 planners at once",
    "plans that waited too long for a lock, 20 planners at once",
    *(f"proposal p95: {exams} exams × 14 days × 24 devices, with the database" for exams in (2, 4, 6, 8)),
    *(f"planner p95: {exams} exams × 14 days × 20 devices" for exams in (2, 4, 6, 8)),
    *(WHOLE[not page.whole].format(page.name) for page in PAGES),
}


def _migrated() -> str:
    """The database that the test databases are copied from, if this run has one: the bench copies it, too."""
    name = f"test_{Scratch(os.environ['DATABASE_URL']).home}_template_{migrated.schema_digest()[:12]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        return name if cursor.fetchone() else ""


@pytest.mark.django_db
def test_every_target_is_measured(tmp_path):
    """Beside the test database, in databases of its own that are gone afterwards."""
    own = {
        "BENCH_SIZE": "tiny",
        "BENCH_RESULTS": str(tmp_path / "results.json"),
        "BENCH_TEMPLATE": _migrated(),
        "WEB_GRACEFUL_SECONDS": "1",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "HOSPITAL_HOME": str(tmp_path),
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "HASH_KEY": settings.HASH_KEY,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench"], cwd=PROJECT, env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

    rows = {row["name"]: row for row in json.loads((tmp_path / "results.json").read_text())["rows"]}
    assert set(rows) == TARGETS
    assert all({"ours", "reference", "ratio", "target", "better"} <= set(row) for row in rows.values())
    assert rows["flash crowd: numbers sold"]["ours"] == 20
    assert rows["flash crowd: errors"]["ours"] == rows["flash crowd: errors, large"]["ours"] == 0
    assert rows["flash crowd: numbers sold, large"]["ours"] == 20
    assert rows["pages with more queries than in the small hospital"]["note"].startswith(f"of {len(PAGES)}")
    assert not rows["release: numbers become bookable"]["note"].startswith("[0]")
    assert rows["one patient, 50 at once: over the limit"]["ours"] == 0
    assert all(row["ratio"] > 0 for name, row in rows.items() if row["reference"])
    with connection.cursor() as cursor:
        home = Scratch(os.environ["DATABASE_URL"]).home
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname IN (%s, %s)", [f"{home}_small_bench", f"{home}_large_bench"]
        )
        assert cursor.fetchall() == []


def test_the_reference_for_losers_is_our_function_without_its_first_look():
    text = without_the_look()

    assert f"FUNCTION {CLAIM_FIRST}(" in text
    assert "-- 2. " not in text
    assert "booking_claim(" in text


def test_a_ratio_is_of_medians_and_says_whether_its_target_is_met():
    faster = compare("booking", [9.0, 10.0, 100.0], [2.0, 5.0, 6.0], target=2, better="higher")
    slower = compare("p99", [9.0], [3.0], target=2, better="lower")

    assert (faster.ours, faster.reference, faster.ratio, faster.met) == (10, 5, 2, True)
    assert (slower.ratio, slower.met) == (3, False)
    assert "NO" in as_text([slower])
    assert isinstance(slower, Row)


def test_a_percentile_looks_at_what_was_under_way_in_a_span():
    tally = Tally(latencies=[1.0, 2.0, 9.0], asked=[10.0, 20.0, 30.0])

    assert tally.percentile(99) == 9
    assert tally.percentile(99, since=5, until=25) == 2
    assert tally.percentile(99, since=38, until=38.5) == 9
