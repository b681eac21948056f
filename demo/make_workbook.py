"""Build demo/hospital.xlsx, demo/large.xlsx and demo/blank.xlsx. Run from the root: python demo/make_workbook.py

Seeded: the same code gives the same bytes. The timetable is drawn so that every doctor sits three to six
half-days a week, nobody in two rooms at once, and no room is taken twice. The large hospital has the same
departments with more doctors in each, for 864,000 numbers in a hundred days, holidays apart, and a year behind it.
"""

import random
import sys
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path

import holidays

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from demo import hospital_facts as facts  # noqa: E402
from hospital.workbook.spec import WEEKDAYS  # noqa: E402
from hospital.workbook.writer import write, write_blank  # noqa: E402

SEED = 20261121
WEEK = list(WEEKDAYS)
WORKING = [(day, half) for day in WEEK[:5] for half in ("上午", "下午")]
WEEKEND = [("周六", "上午"), ("周六", "下午"), ("周日", "上午")]
LADDER = [  # level of the doctors of a department in turn: title, service, numbers a half-day
    ("主任医师", "ZR", (16, 20)),
    ("副主任医师", "FZ", (20, 24)),
    ("主治医师", "ZK", (24, 28)),
    ("住院医师", "PT", (30, 40)),
    ("副主任医师", "FZ", (20, 24)),
    ("主治医师", "ZK", (24, 30)),
    ("主治医师", "PT", (30, 40)),
    ("主任医师", "ZR", (16, 20)),
    ("住院医师", "PT", (30, 40)),
]
OTHER_LADDERS = {
    "YXM": [("主任药师", "YX", (16, 16)), ("副主任药师", "YX", (20, 20))],
    "HLM": [("主任护师", "HL", (16, 20)), ("主管护师", "HL", (20, 24))],
    "CK": [("主任医师", "ZR", (18, 20)), ("副主任医师", "CJ", (24, 26)), ("主治医师", "CJ", (30, 32)),
           ("主治医师", "CJ", (30, 32)), ("副主任医师", "FZ", (24, 26)), ("住院医师", "PT", (36, 36))],
    "社区": [("副主任医师", "SQ", (24, 24)), ("主治医师", "SQ", (30, 30)), ("主治医师", "SQ", (30, 30))],
}  # fmt: skip


@dataclass(frozen=True)
class Hospital:
    """One workbook to draw. `doctors`: how many times the doctors that the departments' rows name."""

    file: str
    doctors: float
    since: date  # the timetable's first day
    years: tuple[int, ...]  # of the calendar


HOSPITALS = (
    Hospital("hospital.xlsx", doctors=1, since=date(2026, 1, 1), years=(2026, 2027)),
    Hospital("large.xlsx", doctors=3.5, since=date(2025, 10, 1), years=(2025, 2026, 2027)),
)


class Timetable:
    """The rows of 出诊模板 as they are drawn, with who and which room is taken when."""

    def __init__(self, dice: random.Random, *, since: date):
        self.dice, self.since = dice, since
        self.rows: list[dict] = []
        self.taken: set[tuple] = set()
        self.rooms: dict[str, int] = {}

    def place(self, department: str, kind: str, actor: str, service: str, numbers: int, when: list, busy: list):
        """Put an actor with everybody who is busy then into the first free room of the department."""
        for day, half in when:
            room = next(n for n in range(1, 99) if ("room", department, n, day, half) not in self.taken)
            self.rooms[department] = max(room, self.rooms.get(department, 0))
            self.taken.add(("room", department, room, day, half))
            self.taken.update((person, day, half) for person in busy)
            self.rows.append(
                {"actor_kind": kind, "actor": actor, "department": department, "service": service, "weekday": day,
                 "room": room, "half": half, "numbers": numbers, "parity": "每周", "effective_from": self.since}
            )  # fmt: skip

    def free(self, people: list, choices: list, count: int) -> list:
        """`count` half-days of the choices when all these people are free."""
        open_halves = [when for when in choices if not any((person, *when) in self.taken for person in people)]
        return sorted(self.dice.sample(open_halves, count), key=lambda when: (WEEK.index(when[0]), when[1]))


def main() -> None:
    """Write the workbooks beside this file."""
    for hospital in HOSPITALS:
        write_hospital(hospital)
    write_blank(HERE / "blank.xlsx")


def write_hospital(hospital: Hospital) -> None:
    dice = random.Random(SEED)
    doctors = draw_doctors(dice, times=hospital.doctors)
    teams = draw_teams(doctors)
    timetable = Timetable(dice, since=hospital.since)
    draw_timetable(timetable, doctors, teams)
    rooms = number_rooms(timetable)
    write(
        HERE / hospital.file,
        {
            "organization": organizations(),
            "campus": campuses(),
            "department": departments(),
            "room": rooms,
            "service": services(),
            "doctor": [{key: doctor[key] for key in doctor if key != "numbers"} for doctor in doctors],
            "team": [team | {"members": "、".join(team["members"])} for team in teams],
            "template": timetable.rows,
            "calendar": calendar(hospital.years),
            "hours": hours(),
        },
    )


def draw_doctors(dice: random.Random, *, times: float) -> list[dict]:
    """Doctors of each department down its ladder of levels; names are drawn once each. Communities don't grow."""
    used = {name for name, _sex in facts.NAMED.values()}
    doctors = []
    for code, _name, _national, _campus, group, _floor, count, skills in facts.DEPARTMENTS:
        ladder = OTHER_LADDERS.get(code) or OTHER_LADDERS.get(group) or LADDER
        for place in range(count if group == "社区" else round(count * times)):
            title, service, numbers = ladder[place % len(ladder)]
            name, sex = None, None
            if place < 4:
                name, sex = facts.NAMED.get((code, title), (None, None))
            if name is None:
                name, sex = draw_name(dice, used)
            words = skills.split("、")
            doctors.append(
                {"code": str(10001 + len(doctors)), "name": name, "sex": sex, "title": title, "department": code,
                 "service": service, "specialty_text": "、".join(dice.sample(words, min(3, len(words)))),
                 "active": "是", "numbers": dice.randint(*numbers) // 2 * 2}
            )  # fmt: skip
    return doctors


def draw_name(dice: random.Random, used: set[str]) -> tuple[str, str]:
    while True:
        sex = dice.choice("男女")
        name = dice.choice(facts.SURNAMES) + dice.choice((facts.MEN if sex == "男" else facts.WOMEN).split())
        if name not in used:
            used.add(name)
            return name, sex


def draw_teams(doctors: list[dict]) -> list[dict]:
    """Each team takes its department's second chief, or an added one, as leader; three others are members."""
    teams = []
    for code, name, department, introduction in facts.TEAMS:
        staff = [doctor for doctor in doctors if doctor["department"] == department]
        chiefs = [doctor for doctor in staff if doctor["service"] == "ZR"]
        leader = chiefs[-1]
        leader.update(service="ZJ", numbers=16)
        members = [doctor for doctor in staff if doctor is not leader and doctor["service"] in ("ZR", "FZ", "ZK")][:3]
        teams.append(
            {"code": code, "name": name, "department": department, "service": "TD", "leader": leader["code"],
             "members": [doctor["code"] for doctor in members], "introduction": introduction}
        )  # fmt: skip
    return teams


def draw_timetable(timetable: Timetable, doctors: list[dict], teams: list[dict]) -> None:
    """Teams first, since several people must be free at once; then the demo doctor, then everybody."""
    for team in teams:
        people = [*team["members"], team["leader"]]
        when = timetable.free(people, WORKING, 2)
        timetable.place(team["department"], "专家团队", team["code"], "TD", 16, when, people)
    sitting_in_teams = {person for team in teams for person in team["members"]}
    for doctor in doctors:
        choices = WORKING + (WEEKEND if doctor["service"] in ("PT", "ZK", "SQ") else [])
        weights = (3, 3, 4) if doctor["code"] in sitting_in_teams else (3, 3, 4, 4, 5, 6)
        count = 3 if doctor["service"] == "ZJ" else timetable.dice.choice(weights)
        when = timetable.free([doctor["code"]], choices, count)
        timetable.place(doctor["department"], "医生", doctor["code"], doctor["service"], doctor["numbers"], when,
                        [doctor["code"]])  # fmt: skip
    for department in facts.PLAIN:
        timetable.place(department, "普通门诊", "PT", "PT", 24, [*WORKING, *WEEKEND], [])
    for department in facts.NIGHT:
        timetable.place(department, "普通门诊", "YJ", "YJ", 16, [(day, "夜间") for day in WEEK[:5]], [])
    odd = [row for row in timetable.rows if row["service"] == "FZ"][5::9]
    for row in odd:
        row["parity"] = "单周"


def number_rooms(timetable: Timetable) -> list[dict]:
    """Name the rooms that the timetable needed: campus, floor, running number on the floor."""
    rooms, next_on_floor, codes = [], {}, {}
    for department, _name, _national, campus, _group, floor, *_rest in facts.DEPARTMENTS:
        for place in range(1, timetable.rooms[department] + 1):
            number = next_on_floor[campus, floor] = next_on_floor.get((campus, floor), 0) + 1
            codes[department, place] = code = f"{campus}-{floor:02}{number:02}"
            rooms.append({"code": code, "name": f"{number:02}诊室", "campus": campus, "floor": f"{floor}层",
                          "department": department})  # fmt: skip
    for row in timetable.rows:
        row["room"] = codes[row["department"], row["room"]]
    return rooms


def organizations() -> list[dict]:
    names = ("code", "name", "short_name", "kind", "parent", "phone")
    return [dict(zip(names, row, strict=True)) for row in facts.ORGANIZATIONS]


def campuses() -> list[dict]:
    names = ("code", "name", "organization", "address", "transit")
    return [dict(zip(names, row, strict=True)) for row in facts.CAMPUSES]


def departments() -> list[dict]:
    return [
        {"code": code, "name": name, "specialty": national or None, "campus": campus, "group": group,
         "location": f"门诊楼 {floor} 层" if group != "社区" else "一楼", "order": place * 10}
        for place, (code, name, national, campus, group, floor, *_rest) in enumerate(facts.DEPARTMENTS, start=1)
    ]  # fmt: skip


def services() -> list[dict]:
    return [
        {"code": code, "name": name, "kind": kind, "level": level, "organizations": organizations, "amount": amount,
         "effective_from": date.fromisoformat(day), "limits_exempt": exempt}
        for code, name, kind, level, organizations, prices, exempt in facts.SERVICES
        for day, amount in prices
    ]  # fmt: skip


def calendar(years: tuple[int, ...]) -> list[dict]:
    """Holidays with the weekend days inside them, and make-up workdays, as the holidays package knows them.

    Years not yet announced hold only the statutory days; the hospital completes the sheet when they are.
    """
    off = holidays.country_holidays("CN", years=years, language="zh_CN")
    rows = {day: {"day": day, "kind": "放假", "name": name[:40]} for day, name in off.items()}
    for day in sorted(off):
        for step in (-1, 1):
            near = day + timedelta(days=step)
            while near.isoweekday() > 5 and near not in off and near not in off.weekend_workdays:
                rows.setdefault(near, {"day": near, "kind": "放假", "name": rows[near - timedelta(days=step)]["name"]})
                near += timedelta(days=step)
    for day, instead in make_up_days(off).items():
        rows[day] = {"day": day, "kind": "调休上班", "name": f"补 {instead:%m-%d}", "follows": WEEK[instead.weekday()]}
    return [rows[day] for day in sorted(rows)]


def make_up_days(off) -> dict[date, date]:
    """Make-up workday → the day off that it stands for: "休息日（由 2026-02-14 调休）" says which."""
    pairs = {}
    for day, name in off.items():
        for word in name.replace("（", " ").replace("）", " ").split():
            if word.count("-") == 2:
                pairs[date.fromisoformat(word)] = day
    return pairs


def hours() -> list[dict]:
    """Winter and summer half-days by date; evenings are the same all year."""
    winter = (time(13, 30), time(17, 0))
    summer = (time(14, 30), time(17, 30))
    seasons = [
        (date(2025, 10, 1), date(2026, 4, 30), winter),
        (date(2026, 5, 1), date(2026, 9, 30), summer),
        (date(2026, 10, 1), date(2027, 4, 30), winter),
        (date(2027, 5, 1), date(2027, 9, 30), summer),
        (date(2027, 10, 1), None, winter),
    ]
    start = seasons[0][0]
    return [
        {"half": "上午", "starts": time(8), "ends": time(12), "effective_from": start},
        *({"half": "下午", "starts": starts, "ends": ends, "effective_from": first, "effective_to": last}
          for first, last, (starts, ends) in seasons),
        {"half": "夜间", "starts": time(18), "ends": time(20, 30), "effective_from": start},
    ]  # fmt: skip


if __name__ == "__main__":
    main()
