"""The demo's staff accounts and its patients. Nobody here exists; the passwords are for the demo only."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from django.contrib.auth.hashers import make_password
from stdnum.cn import ric

from appointments.demo import behaviour
from appointments.demo.behaviour import Persona
from appointments.demo.copying import copy_models, next_ids
from hospital import identity, patients, pinyin
from hospital.models import (
    Condition,
    Organization,
    Patient,
    PatientIdentifier,
    Practitioner,
    Role,
    RoleAssignment,
    User,
)

PASSWORD = "yundu-demo-2026"
DEMO_DOCTOR = "wangjianguo"
STAFF = (  # user name, full name, role, code of the organization
    ("fenzhen", "分诊台 陈护士", Role.TRIAGE, None),
    ("chuangkou", "窗口 刘芳", Role.COUNTER, None),
    ("dianhua", "电话预约 孙倩", Role.PHONE, None),
    ("bingqu", "病区 郑医生", Role.WARD, None),
    ("haoyuan", "号源管理 何静", Role.OFFICE, None),
    ("fuhe", "号源管理复核 江涛", Role.OFFICE, None),  # what one of the office writes, another approves
    ("jiancha", "检查预约中心 周敏", Role.EXAM, None),
    ("zhuanzhen", "转诊办 韩雪", Role.REFERRAL, None),
    ("shoufei", "收费员 马丽", Role.CASHIER, None),
    ("shouyin", "收费员 袁芳", Role.CASHIER, None),
    ("caiwu", "财务 丁洁", Role.FINANCE, None),
    ("fenyuan", "柳堤社区 号源管理 顾兰", Role.OFFICE, "SQ1"),
    ("shenji", "审计 唐敏", Role.AUDITOR, None),
    ("xitong", "系统管理员 罗平", Role.SYSADMIN, None),
    ("anquan", "安全管理员 贺强", Role.SECADMIN, None),
    ("shequ", "柳堤社区 冯医生", Role.PARTNER, "SQ1"),
    ("shibu", "石埠社区 蒋医生", Role.PARTNER, "SQ2"),
    ("zizhuji", "门诊一楼 自助机", Role.KIOSK, None),
)
IN_THE_ADMIN = {Role.OFFICE, Role.AUDITOR, Role.SYSADMIN, Role.SECADMIN}
PLACES = ("110100", "310100", "330100", "440100", "510100")  # 市辖区: a real code that no card carries
AGES = ((0, 6, 8), (7, 17, 5), (18, 44, 31), (45, 64, 32), (65, 94, 24))
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛单解仇"
FIRST = "秀桂玉淑建国志文晓海春永华明丽红伟俊子雨思佳浩梓一欣宇诗"
LAST = "英兰珍芳华平军强明霞敏静涛磊洋艳杰娟萍勇辰轩涵怡彤瑶泽琪然"
BATCH = 4_000


@dataclass(frozen=True)
class Account:
    """What `demo_accounts` prints."""

    username: str
    name: str
    role: str


def make_staff(hospital: Organization) -> dict[str, User]:
    """An account for each role and for each doctor, by user name. One hash serves all: it is one password."""
    secret = make_password(PASSWORD)
    homes = {home.code: home for home in Organization.objects.all()}
    users, roles, doctors = {}, [], []
    for username, name, role, code in STAFF:
        user = User(username=username, full_name=name, password=secret, is_staff=role in IN_THE_ADMIN)
        users[username] = user
        roles.append((user, role, homes[code] if code else hospital))
    for doctor in Practitioner.objects.select_related("organization").order_by("code"):
        username = doctor.pinyin if doctor.pinyin not in users else f"{doctor.pinyin}{doctor.code}"
        user = users[username] = User(username=username, full_name=doctor.name, password=secret)
        roles.append((user, Role.DOCTOR, doctor.organization))
        doctors.append((doctor, user))
    User.objects.bulk_create(users.values())
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=user, role=role, organization=home) for user, role, home in roles
    )
    for doctor, user in doctors:
        doctor.user = user
    Practitioner.objects.bulk_update([doctor for doctor, _user in doctors], ["user"], batch_size=BATCH)
    return users


def accounts() -> list[Account]:
    """The log-ins worth showing: one of each role, the demo doctor first."""
    names = [DEMO_DOCTOR, *(username for username, *_rest in STAFF)]
    users = User.objects.filter(username__in=names).prefetch_related("role_assignments")
    shown = {
        user.username: Account(
            user.username, user.full_name, "、".join(role.get_role_display() for role in user.role_assignments.all())
        )
        for user in users
    }
    return [shown[name] for name in names if name in shown]


def make_patients(dice: random.Random, *, count: int, codes: list[str], communities: list[str], today: date,
                  told: Callable[[float], None] = lambda share: None) -> list[Persona]:  # fmt: skip
    """Patients of all ages with a document whose check digit holds, what is known about them, and their habits."""
    personas, taken = [], set()
    for first in range(0, count, BATCH):
        places = range(first, min(count, first + BATCH))
        people, papers = _draw_batch(dice, places, taken=taken, today=today)
        copy_models(people)
        copy_models(
            [
                PatientIdentifier(patient=person, kind=paper.kind, number=paper.number, number_hash=paper.hash,
                                  last4=paper.last4, checked=paper.checked)
                for person, paper in zip(people, papers, strict=True)
            ],
            without=("id",),
        )  # fmt: skip
        personas += _make_personas(dice, people, codes=codes, communities=communities, today=today)
        told((places[-1] + 1) / count)
    return personas


def _draw_batch(dice: random.Random, places: range, *, taken: set[str], today: date):
    people, papers = [], []
    ids = next_ids(Patient._meta.db_table, len(places))
    for pk, place, number in zip(ids, places, patients.medical_numbers(len(places)), strict=True):
        age = _age(dice)
        born = today - timedelta(days=age * 365 + dice.randrange(1, 364))
        while (card := _card(dice, born, place)) in taken:
            born += timedelta(days=1)
        taken.add(card)
        paper = identity.read_document(kind=PatientIdentifier.Kind.ID_CARD, number=card)
        papers.append(paper)
        name = dice.choice(SURNAMES) + dice.choice(FIRST) * dice.choice((0, 1, 1)) + dice.choice(LAST)
        sounds, initials = _sounds(name)
        phone = f"199{place:08d}"
        people.append(
            Patient(
                pk=pk, medical_number=number, name=name, pinyin=sounds, initials=initials, sex=paper.sex,
                birth_date=paper.birth_date, phone=phone, phone_hash=identity.phone_hash(phone),
                insurance=_insurance(dice, age),
            )
        )  # fmt: skip
    return people, papers


@cache
def _sounds(name: str) -> tuple[str, str]:
    """The names are few, the bearers many."""
    return pinyin.of_person(name)


def _age(dice: random.Random) -> int:
    low, high, _weight = dice.choices(AGES, [weight for _low, _high, weight in AGES])[0]
    return dice.randint(low, high)


def _card(dice: random.Random, born: date, place: int) -> str:
    """Place, birth date, a running number that tells the sex, check digit. Never twice."""
    number = f"{dice.choice(PLACES)}{born:%Y%m%d}{place % 1000:03d}"
    return number + ric.calc_check_digit(number + "0")


def _insurance(dice: random.Random, age: int) -> str:
    if age < 18:
        return Patient.Insurance.RESIDENT
    return dice.choices(Patient.Insurance.values, (58, 34, 8))[0]


def _make_personas(
    dice: random.Random, people: list[Patient], *, codes: list[str], communities: list[str], today: date
):
    """Habits of each patient, and the problems and allergies that go with them."""
    personas, conditions = [], []
    for person in people:
        age = (today - person.birth_date).days // 365
        habits = behaviour.persona(
            dice, patient=person.pk, age=age, woman=person.sex == "F", codes=codes, community=dice.choice(communities)
        )
        personas.append(habits)
        conditions += _conditions(dice, habits, today)
    copy_models(conditions, without=("id",))
    return personas


def _conditions(dice: random.Random, habits: Persona, today: date) -> list[Condition]:
    found = []
    for department in habits.departments:
        known = behaviour.CONDITIONS.get(department, ())
        if known and dice.random() < 0.6:
            found.append((Condition.Kind.PROBLEM, dice.choice(known)))
    if dice.random() < 0.11:
        found.append((Condition.Kind.ALLERGY, dice.choice(behaviour.ALLERGIES)))
    return [
        Condition(
            patient_id=habits.patient, kind=kind, text=text, noted_on=today - timedelta(days=dice.randrange(30, 900))
        )
        for kind, text in dict.fromkeys(found)
    ]
