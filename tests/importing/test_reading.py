"""Reading the workbook without a database: every wrong place is told, with its cure (O2, P2)."""

import time as stopwatch
from datetime import date, datetime, time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from openpyxl import Workbook, load_workbook

from hospital.workbook import reader
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.reader import read
from hospital.workbook.spec import SHEETS
from hospital.workbook.writer import write, write_blank
from tests.importing.workbooks import TITLES, cell_of, rows, spoil, workbook

MIDNIGHT = datetime(2026, 3, 1)  # noqa: DTZ001 - Excel knows no time zones


def problems_of(path) -> list[tuple]:
    """(sheet, row, column, what is wrong) of each problem."""
    with pytest.raises(WrongWorkbook) as caught:
        read(path)
    return [(problem.sheet, problem.row, problem.column, problem.sentences()[0]) for problem in caught.value.problems]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hospital.xlsx"


def test_a_right_workbook_is_read_into_typed_rows(path):
    content = read(workbook(path))

    template, team, price = content["template"][0], content["team"][0], content["service"][0]
    assert (template.actor_kind, template.weekday, template.half, template.numbers) == ("doctor", 1, "am", 20)
    assert team.members == ("1", "3")
    assert (price.amount, price.effective_from, price.organizations) == (Decimal("15.00"), date(2026, 1, 1), ("H", "C"))
    assert content["hours"][1].starts == time(13, 30)


WRONG_CELLS = [
    ("service", 2, "价格", -5, "金额 -5 超出范围。"),
    ("service", 2, "价格", "五十", "“五十”不是金额。"),
    ("service", 2, "价格", 12.345, "金额 12.345 多于两位小数。"),
    ("service", 2, "生效日", "明年", "“明年”不是日期。"),
    ("service", 2, "生效日", "2026-02-30", "“2026-02-30”不是日期。"),
    ("service", 2, "级别", "院士", "“院士”不在可选范围内。"),
    ("template", 2, "号数", -3, "-3 超出范围。"),
    ("template", 2, "号数", 0, "0 超出范围。"),
    ("template", 2, "号数", 12.5, "“12.5”不是整数。"),
    ("template", 2, "号数", "很多", "“很多”不是整数。"),
    ("template", 2, "号数", None, "这里不能空着。"),
    ("template", 2, "号数", True, "“True”不是整数。"),
    ("template", 2, "星期", "星期八", "“星期八”不在可选范围内。"),
    ("template", 2, "诊室", "B9", "“诊室”表里没有编码 B9。"),
    ("template", 2, "出诊者", "77", "“医生”表里没有工号 77。"),
    ("template", 4, "出诊者", "T9", "“专家团队”表里没有编码 T9。"),
    ("template", 2, "号别", "PT", None),
    ("hours", 2, "开始", "八点", "“八点”不是时间。"),
    ("hours", 2, "开始", "25:00", "“25:00”不是时间。"),
    ("hours", 2, "结束", "07:00", "结束不晚于开始。"),
    ("doctor", 2, "科室", "无", "编码“无”含有不允许的字符。"),
    ("doctor", 2, "科室", "ABC", "“科室”表里没有编码 ABC。"),
    ("doctor", 2, "姓名", "王" * 41, "文字有 41 个字，最多 40 个。"),
    ("doctor", 3, "工号", "1", None),
    ("department", 2, "诊疗科目", 3.04, "编码 3.04 被存成了数字，前后的 0 可能已丢失。"),
    ("department", 2, "编码", "QK", None),
    ("team", 2, "领衔专家", "9", "“医生”表里没有编码 9。"),
    ("team", 2, "成员", "1、2", "领衔专家又写成了成员。"),
    ("team", 2, "成员", "1、1", "“1”写了两次。"),
    ("calendar", 3, "按周几出诊", None, "调休上班没有写按周几出诊。"),
    ("calendar", 2, "按周几出诊", "周三", "放假的日子不出诊。"),
    ("organization", 2, "上级机构", "C", "上级机构绕了一圈又回到自己。"),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "row", "header", "value", "wrong"), WRONG_CELLS)
def test_a_wrong_cell_is_told_with_sheet_row_and_column(path, sheet, row, header, value, wrong):
    workbook(path)
    spoil(path, sheet, lambda paper: setattr(cell_of(paper, row, header), "value", value))

    told = problems_of(path)

    here = [problem for problem in told if problem[:2] == (TITLES[sheet], row) and problem[2].endswith(f" {header}")]
    assert here or wrong is None, told
    if wrong:
        assert [problem[3] for problem in here] == [wrong]


def test_every_wrong_cell_is_told_at_once_in_the_order_of_the_sheets(path):
    workbook(path)
    for sheet, row, header, value in (
        ("template", 3, "号数", -1), ("doctor", 2, "职称", "神医"), ("template", 2, "诊室", "B9"),
    ):  # fmt: skip
        spoil(path, sheet, lambda paper, at=(row, header), value=value: setattr(cell_of(paper, *at), "value", value))

    assert [(sheet, row) for sheet, row, *_rest in problems_of(path)] == [("医生", 2), ("出诊模板", 2), ("出诊模板", 3)]


def test_each_problem_names_a_cure(path):
    workbook(path)
    spoil(path, "template", lambda paper: setattr(cell_of(paper, 2, "号数"), "value", 999))

    with pytest.raises(WrongWorkbook) as caught:
        read(path)

    assert str(caught.value) == "出诊模板 2 J 号数：999 超出范围。 请填 1 到 300 之间的整数。"


def test_merged_cells_are_told(path):
    workbook(path)
    spoil(path, "doctor", lambda paper: paper.merge_cells("E2:E3"))

    assert ("医生", 2, "E", "E2:E3 是合并单元格。") in problems_of(path)


def test_a_formula_is_told_and_not_computed(path):
    workbook(path)
    spoil(path, "template", lambda paper: setattr(cell_of(paper, 2, "号数"), "value", "=10+10"))

    assert problems_of(path) == [("出诊模板", 2, "J 号数", "这里是公式。")]


def test_an_error_value_is_told(path):
    workbook(path)

    def broken(paper):
        cell = cell_of(paper, 2, "号数")
        cell.value = "#N/A"
        cell.data_type = "e"

    assert problems_of(spoil(path, "template", broken)) == [("出诊模板", 2, "J 号数", "这里是错误值 #N/A。")]


def test_an_unknown_sheet_and_a_missing_sheet_are_told(path):
    workbook(path)
    book = load_workbook(path)
    book["医生"].title = "大夫"
    book.save(path)

    told = {(sheet, wrong) for sheet, _row, _column, wrong in problems_of(path)}

    assert {("大夫", "没有叫“大夫”的表。"), ("医生", "缺少这张表。")} <= told


def test_a_missing_an_unknown_and_a_repeated_column_are_told(path):
    workbook(path)

    def rename(paper):
        cell_of(paper, 1, "职称").value = "级别"
        cell_of(paper, 1, "擅长").value = "姓名"

    told = problems_of(spoil(path, "doctor", rename))

    assert [problem[2:] for problem in told if problem[:2] == ("医生", 1)] == [
        ("D 级别", "没有这一列。"),
        ("G 姓名", "这一列出现了两次。"),
        ("职称", "缺少这一列。"),
    ]


def test_sheets_and_columns_may_stand_in_any_order(path):
    workbook(path)
    book = load_workbook(path)
    book.move_sheet("出诊模板", offset=-7)
    turned = [[cell.value for cell in row][::-1] for row in book["医生"].iter_rows()]
    for line, values in enumerate(turned, start=1):
        for place, value in enumerate(values, start=1):
            book["医生"].cell(line, place).value = value
    book.save(path)

    assert [row.name for row in read(path)["doctor"]] == ["王建国", "单文", "李敏", "冯远"]


def test_empty_rows_between_and_at_the_end_are_skipped(path):
    workbook(path)

    def stretch(paper):
        paper.insert_rows(3, amount=2)
        cell_of(paper, 3000, "姓名").value = "  "

    assert len(read(spoil(path, "doctor", stretch))["doctor"]) == 4


def test_a_row_that_starts_with_a_hash_is_a_remark(path):
    workbook(path)
    spoil(path, "room", lambda paper: paper.append(["# 三楼装修到年底", "?", "?"]))

    assert len(read(path)["room"]) == 4


@pytest.mark.parametrize("value", [20, 20.0, "20", " ２０ ", "20\u3000"])
def test_a_whole_number_is_read_however_it_was_typed(path, value):
    workbook(path)
    spoil(path, "template", lambda paper: setattr(cell_of(paper, 2, "号数"), "value", value))

    assert read(path)["template"][0].numbers == 20


@pytest.mark.parametrize("value", [date(2026, 3, 1), MIDNIGHT, "2026-03-01", "2026/3/1", "2026年3月1日"])
def test_a_day_is_read_however_it_was_typed(path, value):
    workbook(path)
    spoil(path, "template", lambda paper: setattr(cell_of(paper, 2, "生效日"), "value", value))

    assert read(path)["template"][0].effective_from == date(2026, 3, 1)


@pytest.mark.parametrize("value", [time(8, 30), "8:30", "08：30", 8.5 / 24])
def test_a_time_is_read_however_it_was_typed(path, value):
    workbook(path)
    spoil(path, "hours", lambda paper: setattr(cell_of(paper, 2, "开始"), "value", value))

    assert read(path)["hours"][0].starts == time(8, 30)


def test_a_number_typed_as_a_code_is_the_same_code(path):
    workbook(path)
    spoil(path, "doctor", lambda paper: setattr(cell_of(paper, 2, "工号"), "value", 1))

    assert read(path)["doctor"][0].code == "1"


def test_a_file_that_is_no_workbook_is_refused_in_words(tmp_path):
    text = tmp_path / "list.xlsx"
    text.write_text("姓名,科室")

    assert problems_of(text) == [("list.xlsx", None, "", "这不是能读的 Excel 工作簿。")]
    assert problems_of(tmp_path / "none.xlsx") == [("none.xlsx", None, "", "找不到这个文件。")]


def test_an_empty_workbook_lacks_every_sheet(path):
    Workbook().save(path)

    told = problems_of(path)

    assert {sheet for sheet, *_rest in told} == {"Sheet", *(sheet.title for sheet in SHEETS)}


def test_the_blank_workbook_holds_no_row_but_an_example_on_each_sheet(path):
    write_blank(path)

    book = load_workbook(path)

    assert [book[sheet.title].max_row for sheet in SHEETS] == [2] * len(SHEETS)
    assert all(str(book[sheet.title]["A2"].value).startswith("# 示例") for sheet in SHEETS)
    assert all(cell.comment for sheet in SHEETS for cell in book[sheet.title][1])
    assert problems_of(path) == [("机构", None, "", "这张表是空的。")]


def test_the_example_row_of_the_blank_workbook_is_itself_right(path):
    for sheet in SHEETS:
        for column in sheet.columns:
            assert column.example is None or column.kind.read(column.example) is not None


def test_the_same_rows_give_the_same_file(tmp_path):
    one, two = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    write(one, rows())
    stopwatch.sleep(1.1)
    write(two, rows())

    assert one.read_bytes() == two.read_bytes()


def test_ten_thousand_rows_are_read_in_seconds(path):
    """Four rooms would collide; each row has its own doctor and room, so that the laws look at all of them."""
    many = rows()
    count = 5000
    many["room"] += [{"code": f"R{n}", "name": f"{n}诊室", "campus": "B"} for n in range(count)]
    many["doctor"] += [
        {"code": f"D{n}", "name": "某医生", "sex": "男", "title": "主治医师", "department": "XNK", "service": "PT"}
        for n in range(count)
    ]
    many["template"] += [
        {"actor_kind": "医生", "actor": f"D{n}", "department": "XNK", "service": "PT", "room": f"R{n}",
         "weekday": day, "half": "上午", "numbers": 30, "effective_from": date(2026, 1, 1)}
        for n in range(count) for day in ("周三", "周四")
    ]  # fmt: skip
    write(path, many)

    began = stopwatch.process_time()
    content = read(path)

    assert len(content["template"]) == 10_005
    assert stopwatch.process_time() - began < 15  # about 4 on an idle core


def test_a_merged_cell_of_absurd_reference_is_told_as_any_other(path):
    """More digits than Python reads as a number."""
    paper = SimpleNamespace(merged=["A" + "9" * 5_000], hidden=[], is_hidden=False)

    (problem,) = reader._of_looks(SHEETS[0], paper)

    assert (problem.row, problem.column) == (9_999_999, "A")
