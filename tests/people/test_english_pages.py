"""Every address of the house asked for in English, by a patient, by nobody, by staff and by a program (V5).

What is stored stays as it is written: names, places, a doctor's field. All the rest must be English, in the text and
in what only a screen reader says. Chinese that stands in an element with lang="zh…" says so itself.
"""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.contrib import admin
from django.db import models
from django.urls import reverse

from appointments.models import Appointment, Encounter, Pool, Schedule
from hospital import masking
from hospital.models import (
    ApiToken,
    Campus,
    CareTeam,
    Condition,
    DataRequest,
    Department,
    HealthcareService,
    Notice,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    PriceItem,
    RetentionRule,
    Role,
    Room,
    User,
)
from hospital.permissions import CODE_AT
from tests.factories import (
    NOW,
    AccountFactory,
    CampusFactory,
    ConsentFactory,
    DepartmentFactory,
    EncounterFactory,
    IdentifierFactory,
    NoticeFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    RoomFactory,
    StaffFactory,
    add_numbers,
    appointment_row,
)
from tests.patient.scenes import TODAY, doctor, half_day, supply_rule, take_all_but, team_with_leader
from tests.strangers.test_guessed_ids import WALK

pytestmark = pytest.mark.django_db

HAN = re.compile(r"[\u3400-\u9fff\u3001-\u303f\uff00-\uffef]+")
GLUED = re.compile(r"[a-z]{2}[.;:,][A-Z][a-z]+")
"""Chinese sentences follow one another without a blank, English ones don't."""

SAID = {"aria-label", "placeholder", "title", "alt", "content", "data-when", "data-confirm", "hx-confirm"}
"""Attributes that people see or hear."""

STORED = (
    Organization, Campus, Department, Room, HealthcareService, Practitioner, CareTeam, Patient, User, Condition,
    PriceItem, Schedule, Encounter,
)  # fmt: skip
OWN_NAMES = ("简体中文", "中文", "¥")
"""Of the language to go back to, and the sign of the yuan."""


class Words(HTMLParser):
    """The text and the spoken attributes of a page, without what is marked as Chinese."""

    VOID = {"input", "meta", "link", "br", "img", "hr", "use", "path", "source", "wbr"}

    def __init__(self):
        super().__init__()
        self.inside, self.words = [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        hidden = tag in {"script", "style", "template"} or (given.get("lang") or "").startswith("zh") and tag != "html"
        hidden = hidden or "avatar" in (given.get("class") or "").split()  # the first character of a name, not read out
        if not (hidden or any(self.inside)):
            self.words += [value for name, value in attributes if name in SAID and value]
            if tag == "input" and given.get("type") in {"submit", "button"}:
                self.words.append(given.get("value") or "")
        if tag not in self.VOID:
            self.inside.append(hidden)

    def handle_endtag(self, tag):
        if tag not in self.VOID and self.inside:
            self.inside.pop()

    def handle_data(self, data):
        if not any(self.inside):
            self.words.append(data)


def stored(*more) -> list[str]:
    """What the hospital wrote itself, the longest first, and people's masked names."""
    found = set()
    for model in (*STORED, *more):
        for field in model._meta.fields:
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                found.update(v for v in model.objects.values_list(field.name, flat=True) if v and HAN.search(str(v)))
    people = set(Patient.objects.values_list("name", flat=True))
    found |= {masking.name(name) for name in people}
    return sorted((text for text in found if text), key=len, reverse=True)


def chinese_left(answer, names: list[str]) -> list[str]:
    kind = answer.headers.get("Content-Type", "")
    if answer.streaming or answer.status_code in {301, 302} or kind.endswith("sheet"):  # a workbook's own test reads it
        return []
    text = answer.content.decode(answer.charset or "utf-8")
    if "html" in kind:
        words = Words()
        words.feed(text)
        text = "\n".join(words.words)
    elif "calendar" in kind:
        text = text.replace("\r\n ", "")
    for name in (*names, *OWN_NAMES):
        text = text.replace(name, "")
    return HAN.findall(text) + ([] if "csv" in kind else GLUED.findall(text))


def in_english(client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass
class Clinic:
    doctor: PractitionerRole
    leader: PractitionerRole
    team: CareTeam
    mornings: list[Schedule]
    others: list[Schedule]


def a_clinic() -> Clinic:
    """A doctor's mornings in every state of a day, a plain clinic, a team with its leading expert."""
    OrganizationFactory(phone="0571-6600-1200")
    CampusFactory(name="本部院区", address="江州市人民路1号", transit="地铁2号线中心医院站")
    supply_rule()
    department = DepartmentFactory(name="心血管内科", group="内科系统", location="门诊楼三层")
    wang = doctor(department, specialty_text="冠心病、高血压")
    team, leader = team_with_leader(department)
    days = [TODAY + timedelta(days=n) for n in range(4)]
    rows = [half_day(role=wang, day=day, room=RoomFactory()) for day in days]
    take_all_but(rows[1], 2)
    take_all_but(rows[2], 0)
    Schedule.objects.filter(pk=rows[3].pk).update(status="stopped", stop_reason="外出会诊")
    add_numbers(rows[0], count=2, pool="public", opened=NOW + timedelta(days=1))
    plain = half_day(role=None, department=department, service=wang.service, day=days[1], half="pm")
    of_team = half_day(role=None, team=team, department=department, service=team.service, day=days[2])
    return Clinic(wang, leader, team, rows, [plain, of_team])


def a_family(account) -> list[Patient]:
    """A mother and a child, and what was agreed to for them."""
    mother = PatientFactory(name="欧阳望舒")
    child = PatientFactory(name="欧阳小满", birth_date=TODAY.replace(year=2020))
    IdentifierFactory(patient=mother)
    privacy, health, _child = (NoticeFactory(kind=kind) for kind in ("privacy", "health", "child"))
    ConsentFactory(account=account, notice=privacy)
    for person in (mother, child):
        RelatedPersonFactory(account=account, patient=person)
        ConsentFactory(account=account, notice=health, patient=person)
    DataRequest.objects.create(account=account, kind="correction", asked_at=NOW)
    answered = {"status": "refused", "answer": "No document shown", "decided_at": NOW}
    DataRequest.objects.create(account=account, kind="erasure", asked_at=NOW, **answered)
    return [mother, child]


def bookings(clinic: Clinic, mother: Patient, child: Patient) -> list[Appointment]:
    """One in every state."""
    today, soon, _full, stopped = clinic.mornings
    desk = {"channel": "counter"}  # not counted towards the limits
    return [
        appointment_row(today, mother, number=1),
        appointment_row(today, child, number=2, status="pending"),
        appointment_row(today, mother, number=3, status="cancelled", cancelled_at=NOW, **desk),
        appointment_row(today, mother, number=4, status="noshow", **desk),
        appointment_row(today, mother, number=5, status="fulfilled", **desk),
        appointment_row(soon, child, number=9, channel="consult"),
        appointment_row(stopped, mother, number=1),
    ]


@pytest.fixture
def world():
    """An account and ids of what is there, by the beginning of their addresses."""
    clinic, account = a_clinic(), AccountFactory(phone="13900001234")
    mother, child = a_family(account)
    booked = bookings(clinic, mother, child)
    today, soon = clinic.mornings[:2]
    arrived = appointment_row(today, PatientFactory(), number=6, status="arrived")
    wang, department = clinic.doctor, clinic.doctor.department_id
    return {
        "account": account,
        "slot": f"{soon.pk}@{soon.slots.get(number=1).start:%Y-%m-%dT%H:%M:%S%z}",
        "me/family/": list(account.family.values_list("pk", flat=True)),
        "me/privacy/": list(account.consents.values_list("pk", flat=True)),
        "me/requests/": list(DataRequest.objects.values_list("pk", flat=True)),
        "bookings/": [row.pk for row in booked],
        "book/departments/": [department],
        "book/doctors/": [wang.pk, clinic.leader.pk],
        "book/teams/": [clinic.team.pk],
        "book/clinics/": [(department, wang.service_id)],
        "desk/patients/": [mother.pk],
        "desk/appointments/": [booked[0].pk, arrived.pk],
        "desk/schedules/": [today.pk],
        "desk/encounters/": [EncounterFactory(appointment=arrived).pk],
        "office/schedules/": [row.pk for row in (*clinic.mornings, *clinic.others)],
        "screen/department/": [department],
        "screen/campus/": [today.campus_id],
        "notices/": ["privacy", "health", "child"],
        "consult/slip/": [str(booked[0].basket)],
        "api/v1/departments/": [department],
        "api/v1/schedules/": [soon.pk],
        "api/v1/appointments/": [booked[0].pk],
        "api/v1/doctors/": [wang.practitioner_id],
        "api/v1/teams/": [clinic.team.pk],
    }


WRITTEN_FOR_PROGRAMMERS = {"api_schema", "api_docs"}
"""English, with the hospital's own terms beside it."""


def paths(world) -> list[str]:
    """Every address, with the ids of things that are there."""
    found = []
    for name, route in WALK:
        if name in WRITTEN_FOR_PROGRAMMERS:
            continue
        begins = next((key for key in world if "/" in key and route.startswith(key) and "<" in route), None)
        choices = world[begins] if begins else [1]
        for choice in choices:
            values = list(choice) if isinstance(choice, tuple) else [choice, 1]
            path = route
            for value in values:
                path = re.sub(r"<[^>]+>", str(value), path, count=1)
            found.append(f"/{path}")
    searches = [f"/book/departments/?{urlencode({'q': q})}" for q in ("xxg", "qqq")]
    return [*dict.fromkeys(found), *searches, f"/book/who/?{urlencode({'slot': world['slot']})}"]


def walk(client, world, *, leave=("/accounts/logout/", "/language/")) -> dict[str, int]:
    """Look at everything, then send every form empty. Path → status; fails with all the Chinese that is left."""
    names, status, wrong = stored(), {}, {}
    for verb in ("get", "post"):
        for path in paths(world):
            if path in leave:
                continue
            answer = getattr(in_english(client), verb)(path, {})  # anew: the kiosk forgets whoever leaves
            status[f"{verb} {path}"] = answer.status_code
            left = chinese_left(answer, names)
            if left:
                wrong[f"{verb} {path}"] = sorted(set(left))[:8]
    assert wrong == {}, json.dumps(wrong, ensure_ascii=False, indent=1)
    return status


def test_a_patient_reads_english_on_every_page(client, world):
    """V5: pages, refusals, forms sent back, the calendar file."""
    client.force_login(world["account"])
    session = client.session
    session[CODE_AT] = NOW.timestamp()
    session.save()
    status = walk(in_english(client), world)
    seen = {path for path, code in status.items() if code == 200}
    for name in ("patient_home", "departments", "bookings"):
        assert f"get {reverse(f'appointments:{name}')}" in seen
    for name in ("me", "family", "family_add", "privacy", "export", "erasure", "correction", "me_phone", "messages"):
        assert f"get {reverse(name)}" in seen
    for route in ("book/doctors/", "book/teams/", "book/departments/", "bookings/", "me/family/"):
        assert f"get /{route}{world[route][0]}/" in seen


def test_the_copy_of_ones_data_is_in_english(client, world):
    """O4, V5: what is called what; the words that people wrote stay."""
    client.force_login(world["account"])
    session = client.session
    session[CODE_AT] = NOW.timestamp()
    session.save()
    for form in ("page", "file"):
        answer = in_english(client).post("/me/export/", {"form": form})
        assert answer.status_code == 200
        assert chinese_left(answer, stored()) == []


def test_who_is_not_signed_in_reads_english_on_every_page(client, world):
    walk(in_english(client), world)


def test_staff_read_english_on_every_page(client, world):
    """V5: a doctor who also does all the rest; the administration with every list and form."""
    user = StaffFactory(roles=list(Role.values), full_name="Anna Berg")
    Practitioner.objects.filter(roles__department__name="心血管内科", name="王建国").update(user=user)
    client.force_login(user)
    in_english(client).post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    status = walk(client, world)
    assert status["get /desk/"] == status["get /office/"] == status["get /consult/"] == 200


def test_the_administration_is_english_in_every_list_and_form(client, world):
    user = StaffFactory(roles=list(Role.values), full_name="Anna Berg", is_superuser=True)
    client.force_login(user)
    in_english(client).post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    names, wrong, seen = stored(Pool, Notice, RetentionRule), {}, 0
    for model in admin.site._registry:
        for act in ("changelist", "add"):
            path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{act}")
            answer = client.get(path)
            seen += answer.status_code == 200
            left = chinese_left(answer, names)
            if left:
                wrong[path] = sorted(set(left))[:8]
    assert wrong == {}, json.dumps(wrong, ensure_ascii=False, indent=1)
    assert seen > len(admin.site._registry)


def test_a_program_that_asks_for_english_is_answered_in_english(client, world):
    """O1: refusals and words of states by Accept-Language."""
    _row, secret = ApiToken.issue(
        name="app", user=world["account"], channel="app", scopes=["read", "book"], expires_at=NOW + timedelta(days=30)
    )
    names, wrong = stored(), {}
    for token in (secret, "wrong"):
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en", "Idempotency-Key": "k1"}
        for verb in ("get", "post"):
            for path in paths(world):
                if path.startswith("/api/v1/"):
                    answer = getattr(client, verb)(path, {}, content_type="application/json", headers=headers)
                    left = chinese_left(answer, names)
                    if left:
                        wrong[f"{verb} {path} {answer.status_code}"] = sorted(set(left))[:8]
    assert wrong == {}, json.dumps(wrong, ensure_ascii=False, indent=1)
