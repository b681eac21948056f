"""A small hospital's workbook to start from, and ways to spoil it."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date, time
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from hospital.workbook.spec import SHEETS
from hospital.workbook.writer import write

FROM = date(2026, 1, 1)
ROWS = {
    "organization": [
        {"code": "H", "name": "区医院", "kind": "医院"},
        {"code": "C", "name": "柳堤社区", "kind": "社区卫生服务中心", "parent": "H"},
    ],
    "campus": [
        {"code": "B", "name": "本部", "organization": "H", "transit": "公交 5 路"},
        {"code": "L", "name": "门诊部", "organization": "C"},
    ],
    "department": [
        {"code": "XNK", "name": "心血管内科", "specialty": "03.04", "campus": "B"},
        {"code": "QK", "name": "全科", "specialty": "02", "campus": "L"},
    ],
    "room": [
        {"code": "B1", "name": "1诊室", "campus": "B", "floor": "3层", "department": "XNK"},
        {"code": "B2", "name": "2诊室", "campus": "B", "floor": "3层"},
        {"code": "B3", "name": "3诊室", "campus": "B", "floor": "3层"},
        {"code": "L1", "name": "1诊室", "campus": "L"},
    ],
    "service": [
        {"code": "PT", "name": "普通门诊", "kind": "门诊", "level": "普通", "organizations": "H、C", "amount": 15,
         "effective_from": FROM},
        {"code": "ZR", "name": "主任门诊", "kind": "门诊", "level": "主任医师", "amount": 50, "effective_from": FROM},
        {"code": "TD", "name": "团队门诊", "kind": "专家团队", "level": "知名专家团队", "amount": 80,
         "effective_from": FROM},
    ],
    "doctor": [
        {"code": "1", "name": "王建国", "sex": "男", "title": "主任医师", "department": "XNK", "service": "ZR"},
        {"code": "2", "name": "单文", "sex": "女", "title": "主任医师", "department": "XNK", "service": "ZR"},
        {"code": "3", "name": "李敏", "sex": "女", "title": "主治医师", "department": "XNK", "service": "PT"},
        {"code": "4", "name": "冯远", "sex": "男", "title": "主治医师", "department": "QK", "service": "PT"},
    ],
    "team": [
        {"code": "T1", "name": "冠心病团队", "department": "XNK", "service": "TD", "leader": "2", "members": "1、3"},
    ],
    "template": [
        {"actor_kind": "医生", "actor": "1", "department": "XNK", "service": "ZR", "room": "B1", "weekday": "周一",
         "half": "上午", "numbers": 20, "effective_from": FROM},
        {"actor_kind": "医生", "actor": "3", "department": "XNK", "service": "PT", "room": "B2", "weekday": "周一",
         "half": "上午", "numbers": 30, "effective_from": FROM},
        {"actor_kind": "专家团队", "actor": "T1", "department": "XNK", "service": "TD", "room": "B1",
         "weekday": "周二", "half": "下午", "numbers": 16, "effective_from": FROM},
        {"actor_kind": "普通门诊", "actor": "PT", "department": "XNK", "service": "PT", "room": "B3",
         "weekday": "周一", "half": "上午", "numbers": 40, "effective_from": FROM},
        {"actor_kind": "医生", "actor": "4", "department": "QK", "service": "PT", "room": "L1", "weekday": "周一",
         "half": "上午", "numbers": 30, "effective_from": FROM},
    ],
    "calendar": [
        {"day": date(2026, 10, 1), "kind": "放假", "name": "国庆节"},
        {"day": date(2026, 10, 10), "kind": "调休上班", "name": "补 10-07", "follows": "周三"},
    ],
    "hours": [
        {"half": "上午", "starts": time(8), "ends": time(12), "effective_from": FROM},
        {"half": "下午", "starts": time(13, 30), "ends": time(17), "effective_from": FROM,
         "effective_to": date(2026, 4, 30)},
        {"half": "下午", "starts": time(14, 30), "ends": time(17, 30), "effective_from": date(2026, 5, 1)},
    ],
}  # fmt: skip
TITLES = {sheet.key: sheet.title for sheet in SHEETS}


def rows() -> dict[str, list[dict]]:
    return deepcopy(ROWS)


def workbook(path: Path, change: Callable[[dict], None] = lambda rows: None) -> Path:
    """The small hospital with one change to its rows."""
    mine = rows()
    change(mine)
    write(path, mine)
    return path


def spoil(path: Path, sheet: str, change: Callable[[Worksheet], None]) -> Path:
    """Change a written workbook as a person would in Excel."""
    book = load_workbook(path)
    change(book[TITLES[sheet]])
    book.save(path)
    return path


def cell_of(paper: Worksheet, row: int, header: str):
    """The cell under a header; row 2 is the first of the data."""
    headers = [str(cell.value).rstrip("*") for cell in paper[1]]
    return paper.cell(row, headers.index(header) + 1)
