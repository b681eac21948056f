"""The workbooks that the repository ships: the demo hospital's own and a blank one (O2)."""

import runpy
import shutil
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from django.conf import settings

from hospital.workbook.reader import read

DEMO = Path(settings.BASE_DIR) / "demo"


@pytest.fixture(scope="module")
def content():
    return read(DEMO / "hospital.xlsx")


def test_it_is_a_district_hospital_with_two_campuses_and_five_branches(content):
    kinds = Counter(row.kind for row in content["organization"])
    hospital = next(row.code for row in content["organization"] if row.kind == "hospital")
    campuses = {row.code for row in content["campus"] if row.organization == hospital}
    departments = {row.code for row in content["department"] if row.campus in campuses}
    doctors = {row.code for row in content["doctor"] if row.department in departments}

    assert kinds == {"hospital": 1, "community": 5}
    assert len(campuses) == 2
    assert len(departments) >= 30
    assert len(doctors) >= 150
    assert len(content["team"]) == 8


def test_departments_carry_the_codes_of_the_national_list(content):
    codes = {row.name: row.specialty for row in content["department"]}

    assert (codes["心血管内科"], codes["内分泌科"], codes["儿科"], codes["疼痛科"]) == ("03.04", "03.07", "07", "27")
    assert {name for name, code in codes.items() if not code} == {"药学门诊", "护理门诊"}


def test_there_are_four_levels_of_doctors(content):
    levels = {row.code: row.level for row in content["service"]}

    assert {levels[row.service] for row in content["doctor"]} >= {"general", "specialty", "associate", "chief"}


def test_doctors_sit_three_to_six_half_days_with_sixteen_to_forty_numbers(content):
    sittings = defaultdict(set)
    for row in content["template"]:
        assert 16 <= row.numbers <= 40
        if row.actor_kind == "doctor":
            sittings[row.actor].add((row.weekday, row.half))

    assert sittings.keys() == {row.code for row in content["doctor"]}
    assert {len(half_days) for half_days in sittings.values()} <= {3, 4, 5, 6}


def test_a_leading_expert_has_one_role_and_it_is_behind_the_team(content):
    """B11."""
    roles = defaultdict(list)
    for row in content["doctor"]:
        roles[row.code].append(row.service)

    assert [roles[team.leader] for team in content["team"]] == [["ZJ"]] * 8
    assert all(len(team.members) >= 3 for team in content["team"])


def test_a_make_up_workday_runs_the_weekday_it_stands_for(content):
    days = {str(row.day): (row.kind, row.follows) for row in content["calendar"]}

    assert days["2026-10-01"] == ("holiday", None)
    assert days["2026-10-10"] == ("workday", 3)  # a Saturday, for Wednesday 7 October
    assert days["2026-02-15"] == ("holiday", None)  # the Sunday inside the Spring Festival


def test_the_large_hospital_has_the_same_departments_with_more_doctors_and_a_year_behind_it(content):
    large = read(DEMO / "large.xlsx")
    a_week = sum(row.numbers for row in large["template"])

    assert [row.code for row in large["department"]] == [row.code for row in content["department"]]
    assert len(large["doctor"]) > 3 * len(content["doctor"])
    assert a_week * 100 / 7 > 864_000  # in a hundred days
    assert min(row.effective_from for row in large["template"]).isoformat() == "2025-10-01"


def test_the_shipped_files_are_what_their_builder_builds(tmp_path, monkeypatch):
    """Whoever changes the builder or the spec runs it again: python demo/make_workbook.py"""
    for name in ("__init__.py", "hospital_facts.py", "make_workbook.py"):
        (tmp_path / "demo").mkdir(exist_ok=True)
        shutil.copy(DEMO / name, tmp_path / "demo" / name)

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    runpy.run_path(str(tmp_path / "demo" / "make_workbook.py"), run_name="__main__")

    for name in ("hospital.xlsx", "large.xlsx", "blank.xlsx"):
        assert parts_of(tmp_path / "demo" / name) == parts_of(DEMO / name)


def parts_of(path: Path) -> dict[str, bytes]:
    """What is packed in the file: another zlib may pack the same more tightly."""
    with zipfile.ZipFile(path) as parcel:
        return {name: parcel.read(name) for name in parcel.namelist()}
