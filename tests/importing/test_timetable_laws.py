"""Nobody in two rooms at once, no room taken twice: over weekdays, seasons, odd and even weeks, own hours (P2)."""

from datetime import date, time

import pytest

from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.reader import read
from tests.importing.workbooks import FROM, workbook

SECOND = {
    "actor_kind": "医生", "actor": "1", "department": "XNK", "service": "ZR", "room": "B2", "weekday": "周三",
    "half": "上午", "numbers": 20, "effective_from": FROM,
}  # fmt: skip


@pytest.fixture
def wrongs(tmp_path):
    """(row, header, what is wrong) when these rows are added to the timetable."""

    def told(*added, **tables):
        def change(rows):
            rows["template"] += added
            for key, more in tables.items():
                rows[key] = more

        path = workbook(tmp_path / "hospital.xlsx", change)
        try:
            read(path)
        except WrongWorkbook as wrong:
            return [(one.row, one.column.split()[-1], one.sentences()[0]) for one in wrong.problems]
        return []

    return told


def test_a_doctor_in_two_rooms_at_once_is_told_with_the_other_row(wrongs):
    twice = SECOND | {"weekday": "周一", "starts": time(9), "ends": time(10), "room": "B2"}

    told = wrongs(twice)

    assert (7, "出诊者", "工号 1 同一时间已在 B1 出诊，见出诊模板 2。") in told


def test_a_room_taken_twice_is_told_with_the_other_row(wrongs):
    other = SECOND | {"actor": "2", "weekday": "周一", "room": "B1"}

    assert wrongs(other) == [(7, "诊室", "诊室 B1 同一时间已被占用，见出诊模板 2。")]


def test_a_team_holds_its_members_but_not_its_leader(wrongs):
    tuesday = {"weekday": "周二", "half": "下午", "room": "B2"}

    assert wrongs(SECOND | tuesday) == [(7, "出诊者", "工号 1 同一时间已在 B1 出诊，见出诊模板 4。")]
    assert wrongs(SECOND | tuesday | {"actor": "2"}) == []


def test_odd_and_even_weeks_share_a_room(wrongs):
    odd, even = SECOND | {"parity": "单周"}, SECOND | {"parity": "双周", "actor": "2"}

    assert wrongs(odd, even) == []
    assert wrongs(odd, even | {"parity": "每周"}) == [(8, "诊室", "诊室 B2 同一时间已被占用，见出诊模板 7。")]


def test_a_timetable_that_ends_makes_room_for_the_next(wrongs):
    until, after = SECOND | {"effective_to": date(2026, 6, 30)}, SECOND | {"effective_from": date(2026, 7, 1)}

    assert wrongs(until, after) == []
    assert len(wrongs(until, after | {"effective_from": date(2026, 6, 30)})) == 2


def test_own_hours_collide_only_in_the_season_whose_half_day_they_touch(wrongs):
    """14:00–14:30 is free in summer, when afternoons begin at 14:30, and taken in winter."""
    early = SECOND | {"weekday": "周二", "half": "下午", "starts": time(14), "ends": time(14, 30), "actor": "2",
                      "room": "B1"}  # fmt: skip
    summer = {"effective_from": date(2026, 5, 1)}

    assert wrongs(early | summer) == []
    assert [told[1] for told in wrongs(early)] == ["诊室"]


def test_the_same_row_twice_is_told_as_a_double(wrongs):
    told = wrongs(SECOND, dict(SECOND))

    assert told[0] == (8, "出诊者类型", "和第 7 行重复。")


def test_numbers_that_would_have_no_minute_of_their_own_are_told(wrongs):
    assert wrongs(SECOND | {"numbers": 241}) == [(7, "号数", "241 个号放不进 240 分钟，每个号至少一分钟。")]


def test_a_half_day_without_hours_is_told(wrongs):
    assert wrongs(SECOND | {"half": "夜间"}) == [(7, "半天", "这个院区在生效期内没有“夜间”的时间。")]
    assert wrongs(SECOND | {"half": "夜间", "starts": time(18), "ends": time(20)}) == []


def test_own_hours_need_both_ends(wrongs):
    assert wrongs(SECOND | {"starts": time(9)}) == [(7, "开始", "开始和结束只填了一个。")]


def test_dates_that_run_backwards_are_told(wrongs):
    assert wrongs(SECOND | {"effective_to": date(2025, 1, 1)}) == [(7, "失效日", "失效日早于生效日。")]


def test_a_retired_row_takes_no_room(wrongs):
    assert wrongs(SECOND | {"actor": "2", "weekday": "周一", "room": "B1", "active": "否"}) == []


def test_overlapping_seasons_of_one_half_day_are_told(wrongs):
    winter = {"half": "上午", "starts": time(8), "ends": time(12), "effective_from": FROM}
    afternoon = {"half": "下午", "starts": time(14), "ends": time(17), "effective_from": FROM}
    summer = {"half": "上午", "starts": time(7), "ends": time(11), "effective_from": date(2026, 5, 1)}

    assert wrongs(hours=[winter, afternoon, summer])[0] == (4, "生效日", "和第 2 行的日期重叠。")


def test_a_service_of_another_institution_is_told(wrongs):
    there = SECOND | {"actor_kind": "普通门诊", "actor": "ZR", "service": "ZR", "department": "QK", "room": "L1"}

    assert wrongs(there) == [(7, "号别", "号别 ZR 不属于科室 QK 所在的机构。")]


def test_a_role_that_the_doctor_does_not_have_is_told(wrongs):
    assert wrongs(SECOND | {"service": "PT"}) == [(7, "出诊者", "工号 1 没有这个科室和号别的出诊身份。")]


def test_a_leader_with_a_second_role_is_told(tmp_path):
    """B11: whoever leads a team has no numbers but those behind the team."""

    def change(rows):
        rows["doctor"].append(rows["doctor"][1] | {"service": "PT"})

    path = workbook(tmp_path / "leader.xlsx", change)
    with pytest.raises(WrongWorkbook) as caught:
        read(path)

    assert [one.sentences()[0] for one in caught.value.problems] == ["领衔专家 2 在“医生”表里有几种出诊身份。"]


def test_two_rows_of_one_code_must_be_one_person(wrongs, tmp_path):
    def change(rows):
        rows["doctor"].append(rows["doctor"][0] | {"service": "PT", "name": "王建设"})

    path = workbook(tmp_path / "people.xlsx", change)
    with pytest.raises(WrongWorkbook) as caught:
        read(path)

    assert [one.sentences()[0] for one in caught.value.problems] == ["工号 1 在第 2 行写的不一样。"]


def test_two_prices_of_one_service_differ_only_in_price_and_day(tmp_path):
    def change(rows):
        rows["service"].append(rows["service"][1] | {"effective_from": date(2026, 7, 1), "amount": 60, "name": "专家"})

    path = workbook(tmp_path / "prices.xlsx", change)
    with pytest.raises(WrongWorkbook) as caught:
        read(path)

    assert [one.sentences()[0] for one in caught.value.problems] == ["和第 3 行是同一号别，这一列却不同。"]
