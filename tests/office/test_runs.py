"""自动执行记录: when due, when done, how late, how long, how much; who died half-way."""

from datetime import timedelta

import pytest

from appointments.models import JobRun
from tests.factories import NOW, StaffFactory

pytestmark = pytest.mark.django_db


def ran(job="recall", *, late=timedelta(0), at=NOW - timedelta(hours=3), seconds=1.5, moved=36):
    done = None if seconds is None else at + timedelta(seconds=seconds)
    return JobRun.objects.create(job=job, due_at=at - late, started_at=at, done_at=done, moved=moved)


def text(response):
    return response.content.decode()


def test_runs_newest_first_with_how_late_and_how_long(office):
    ran("release", at=NOW - timedelta(days=1), moved=1284)
    ran(late=timedelta(minutes=37, seconds=5))

    response = office.get("/office/runs/")

    lines = response.context["page"].object_list
    assert [(line.run.job, line.late_minutes, line.seconds) for line in lines] == [
        ("recall", 37, 1.5),
        ("release", 0, 1.5),
    ]
    for word in ("晚 37 分", "1.5 秒", "36 个号", "1284 个号"):
        assert word in text(response)


def test_one_that_was_killed_is_marked(office):
    ran(seconds=None)

    assert "中断" in text(office.get("/office/runs/"))


def test_runs_are_filtered_and_a_wrong_value_is_no_filter(office):
    ran("release"), ran("stops", seconds=None), ran("lay_out", late=timedelta(hours=1))

    def jobs(query):
        return [line.run.job for line in office.get(f"/office/runs/?{query}").context["page"].object_list]

    assert jobs("job=release") == ["release"]
    assert sorted(jobs("trouble=1")) == ["lay_out", "stops"]
    assert len(jobs("job=rubbish&day=x&page=-1")) == 3
    assert jobs("day=2026-11-01") == []
    assert "没有符合条件的记录" in text(office.get("/office/runs/?day=2026-11-01"))


def test_a_house_without_runs_says_so_and_an_auditor_may_look(office, client):
    client.force_login(StaffFactory(roles="auditor"))

    assert "还没有执行过" in text(client.get("/office/runs/"))
