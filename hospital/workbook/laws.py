"""What must hold between rows: references, doubles, prices, teams, and nobody in two rooms at once."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from hospital.workbook.problems import Problem
from hospital.workbook.problems import mark as _
from hospital.workbook.sheet import Content, Row
from hospital.workbook.spec import SHEETS
from hospital.workbook.timetable import broken_timetable


def broken_laws(content: Content) -> list[Problem]:
    """Every law that the rows break. Cells already reported are not spoken of again."""
    laws = (
        _dangling_references, _doubles, _one_hospital, _parents, _prices, _people, _roles, _teams,
        _actors, _make_up_days, _hours, broken_timetable,
    )  # fmt: skip
    return [problem for law in laws for problem in law(content)]


def _dangling_references(content: Content) -> Iterator[Problem]:
    known = {sheet.key: {row.values[sheet.columns[0].name] for row in content[sheet.key]} for sheet in SHEETS}
    titles = {sheet.key: sheet.title for sheet in SHEETS}
    pointing = [(sheet.key, column) for sheet in SHEETS for column in sheet.columns if column.points_at]
    for key, column in pointing:
        for row in content[key]:
            value = row.values[column.name]
            for code in value if isinstance(value, tuple) else (value,):
                if code is not None and code not in known[column.points_at]:
                    row.wrong.add(column.name)
                    yield row.problem(
                        column.name,
                        _("“%(title)s”表里没有编码 %(code)s。"),
                        _("请改成已有的编码，或先在“%(title)s”表里加上。"),
                        title=titles[column.points_at],
                        code=code,
                    )


def _doubles(content: Content) -> Iterator[Problem]:
    for sheet in SHEETS:
        seen: dict[tuple, Row] = {}
        for row in content[sheet.key]:
            if row.wrong.intersection(sheet.known_by):
                continue
            first = seen.setdefault(row.key, row)
            if first is not row:
                yield _double(row, first.number)


def _double(row: Row, first: int) -> Problem:
    row.wrong.add(row.sheet.known_by[0])
    return row.problem(
        row.sheet.known_by[0],
        _("和第 %(first)s 行重复。"),
        _("同一%(columns)s只能有一行，请删去一行。"),
        first=first,
        columns="、".join(row.sheet.column(name).header for name in row.sheet.known_by),
    )


def _one_hospital(content: Content) -> Iterator[Problem]:
    rows = content["organization"]
    if not rows and "organization" in content.rows:
        title = next(sheet.title for sheet in SHEETS if sheet.key == "organization")
        yield Problem(title, None, "", _("这张表是空的。"), _("请至少写上医院本身。"))
    if rows and not any(row.kind == "hospital" or "kind" in row.wrong for row in rows):
        yield rows[0].problem("kind", _("没有一家机构的类型是“医院”。"), _("请把医院本身也写进这张表。"))


def _parents(content: Content) -> Iterator[Problem]:
    """上级机构 leads to a top, not round in a circle."""
    above = {row.code: row.parent for row in content["organization"]}
    for row in content["organization"]:
        seen, code = {row.code}, row.parent
        while code is not None and code not in seen:
            seen.add(code)
            code = above.get(code)
        if code is not None and code == row.code:
            yield row.problem("parent", _("上级机构绕了一圈又回到自己。"), _("请改成真正的上级，最上级空着。"))


def _prices(content: Content) -> Iterator[Problem]:
    """Several rows of one service are its prices over time: all else must be equal."""
    first: dict[str, Row] = {}
    for row in content["service"]:
        known = first.setdefault(row.code, row)
        for name in ("name", "kind", "level", "organizations", "limits_exempt", "active"):
            if row.values[name] != known.values[name] and not {name, "code"} & (row.wrong | known.wrong):
                yield row.problem(
                    name,
                    _("和第 %(first)s 行是同一号别，这一列却不同。"),
                    _("同一编码的几行只能价格和生效日不同。"),
                    first=known.number,
                )


def _people(content: Content) -> Iterator[Problem]:
    """Several rows of one 工号 are several roles of one person."""
    first: dict[str, Row] = {}
    home = {row.code: row.organization for row in content["campus"]}
    house = {row.code: home.get(row.campus) for row in content["department"]}
    for row in content["doctor"]:
        known = first.setdefault(row.code, row)
        for name in ("name", "sex", "title"):  # a person on duty may have roles that are out of use
            if row.values[name] != known.values[name] and not {name, "code"} & (row.wrong | known.wrong):
                yield row.problem(
                    name,
                    _("工号 %(code)s 在第 %(first)s 行写的不一样。"),
                    _("同一工号必须是同一个人；不同的人请用不同工号。"),
                    code=row.code,
                    first=known.number,
                )
        if house.get(row.department) != house.get(known.department) and not {"department"} & (row.wrong | known.wrong):
            yield row.problem(
                "department",
                _("工号 %(code)s 在第 %(first)s 行属于另一家机构。"),
                _("在另一家机构出诊的，请用那家机构的工号。"),
                code=row.code,
                first=known.number,
            )


def _roles(content: Content) -> Iterator[Problem]:
    """A doctor, team or clinic takes a 号别 of its own institution."""
    home = {row.code: row.organization for row in content["campus"]}
    house = {row.code: home.get(row.campus) for row in content["department"]}
    hospital = next((row.code for row in content["organization"] if row.kind == "hospital"), None)
    offered = {row.code: row.organizations or (hospital,) for row in content["service"]}
    for key in ("doctor", "team", "template"):
        for row in content[key]:
            if row.wrong & {"department", "service"} or None in (row.department, row.service):
                continue
            organization = house.get(row.department)
            if organization and organization not in offered.get(row.service, (organization,)):
                row.wrong.add("service")
                yield row.problem(
                    "service",
                    _("号别 %(service)s 不属于科室 %(department)s 所在的机构。"),
                    _("请换一个号别，或在“号别与价格”的机构一列加上 %(organization)s。"),
                    service=row.service,
                    department=row.department,
                    organization=organization,
                )


def _teams(content: Content) -> Iterator[Problem]:
    roles = Counter(row.code for row in content["doctor"] if row.active)
    led: dict[str, Row] = {}
    for row in content["team"]:
        if not row.wrong & {"leader", "members"} and row.leader in (row.members or ()):
            yield row.problem("members", _("领衔专家又写成了成员。"), _("成员里请去掉领衔专家。"))
        if row.leader is None or "leader" in row.wrong:
            continue
        if roles[row.leader] > 1:
            yield row.problem(
                "leader",
                _("领衔专家 %(code)s 在“医生”表里有几种出诊身份。"),
                _("领衔专家只留一种出诊身份，他的号全部由团队转诊打开。"),
                code=row.leader,
            )
        first = led.setdefault(row.leader, row)
        if first is not row:
            yield row.problem(
                "leader",
                _("第 %(first)s 行的团队也由他领衔。"),
                _("一位领衔专家只带一个团队。"),
                first=first.number,
            )


def _actors(content: Content) -> Iterator[Problem]:
    """Whoever a template names exists, in that department, with that 号别."""
    roles = {row.key for row in content["doctor"]}
    doctors = {row.code for row in content["doctor"]}
    teams = {row.code: row for row in content["team"]}
    for row in content["template"]:
        if row.wrong & {"actor_kind", "actor"}:
            continue
        sound = not row.wrong & {"department", "service"}
        if row.actor_kind == "doctor" and row.actor not in doctors:
            wrong, cure = _("“医生”表里没有工号 %(code)s。"), _("请改成已有的工号，或先在“医生”表里加上。")
        elif row.actor_kind == "doctor" and sound and (row.actor, row.department, row.service) not in roles:
            wrong = _("工号 %(code)s 没有这个科室和号别的出诊身份。")
            cure = _("请改科室或号别，或在“医生”表里加一行这种身份。")
        elif row.actor_kind == "team" and row.actor not in teams:
            wrong, cure = _("“专家团队”表里没有编码 %(code)s。"), _("请改成已有的团队，或先加上。")
        elif row.actor_kind == "team" and sound and (
            (row.department, row.service) != (teams[row.actor].department, teams[row.actor].service)
        ):  # fmt: skip
            wrong, cure = _("团队 %(code)s 的科室或号别和“专家团队”表不一致。"), _("请改成一致。")
        elif row.actor_kind == "service" and sound and row.actor != row.service:
            wrong, cure = _("普通门诊的出诊者应和号别相同，这里是 %(code)s。"), _("请把出诊者改成号别编码。")
        else:
            continue
        row.wrong.add("actor")
        yield row.problem("actor", wrong, cure, code=row.actor)


def _make_up_days(content: Content) -> Iterator[Problem]:
    """A make-up workday follows a weekday, and no institution keeps one day in two ways."""
    houses = [row.code for row in content["organization"]]
    kept: dict[tuple, Row] = {}
    for row in content["calendar"]:
        if not row.wrong & {"day", "organizations"}:
            first = [kept.setdefault((row.day, code), row) for code in row.organizations or houses]
            if any(twin is not row for twin in first):
                yield _double(row, min(twin.number for twin in first))
        if row.wrong & {"kind", "follows"}:
            continue
        if row.kind == "workday" and row.follows is None:
            yield row.problem("follows", _("调休上班没有写按周几出诊。"), _("请选一个星期。"))
        if row.kind == "holiday" and row.follows is not None:
            yield row.problem("follows", _("放假的日子不出诊。"), _("请删去这一格；要出诊请把类型改为调休上班。"))


def _hours(content: Content) -> Iterator[Problem]:
    """Half-days run forward, and one half-day of one campus has one set of hours on any day."""
    lines: dict[tuple, list[Row]] = defaultdict(list)
    for row in content["hours"]:
        if row.wrong:
            continue
        if row.ends <= row.starts:
            yield row.problem("ends", _("结束不晚于开始。"), _("请检查两个时间。"))
        if row.effective_to and row.effective_to < row.effective_from:
            yield row.problem("effective_to", _("失效日早于生效日。"), _("请检查两个日期。"))
        for campus in [row.campus] if row.campus else [place.code for place in content["campus"]]:
            lines[campus, row.half].append(row)
    for rows in lines.values():
        for earlier, later in pairwise(sorted(rows, key=lambda row: row.effective_from)):
            if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
                yield later.problem(
                    "effective_from",
                    _("和第 %(first)s 行的日期重叠。"),
                    _("请把前一行的失效日改到这一行生效之前。"),
                    first=earlier.number,
                )
