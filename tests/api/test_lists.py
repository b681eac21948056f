"""The ordinary lists: what is shown to whom, found how, in which order, at what cost."""

from datetime import timedelta

import pytest

from hospital import masking
from hospital.models import Campus, Department
from tests.api.conftest import Program, issue
from tests.factories import (
    NOW,
    AccountFactory,
    CampusFactory,
    DepartmentFactory,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    RoleFactory,
    ServiceFactory,
    TeamFactory,
    TeamMemberFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


def names(rows):
    return [row["name"] for row in rows]


def test_places_are_listed_in_the_hospitals_own_order(program):
    """B7: a program sees what the pages see."""
    campus = CampusFactory()
    DepartmentFactory(name="心内科", order=2)
    DepartmentFactory(name="骨科", order=1, pinyin="guke", initials="gk")
    DepartmentFactory(name="已停科室", active=False)

    assert names(program.rows("/organizations/")) == ["江州市中心医院"]
    assert [row["id"] for row in program.rows("/campuses/")] == [campus.pk]
    assert names(program.rows("/departments/")) == ["骨科", "心内科"]


@pytest.mark.parametrize("text", ["骨", "guk", "gk", "GK"])
def test_a_department_is_found_by_chinese_pinyin_and_initials(program, text):
    DepartmentFactory()
    found = DepartmentFactory(name="骨科", pinyin="guke", initials="gk")

    assert [row["id"] for row in program.rows("/departments/", {"q": text})] == [found.pk]


def test_departments_of_a_campus_and_of_an_organization(program):
    east = Campus.objects.create(organization=OrganizationFactory(), code="E", name="东院区")
    here, there = DepartmentFactory(campus=east), DepartmentFactory()

    assert [row["id"] for row in program.rows("/departments/", {"campus": east.pk})] == [here.pk]
    both = program.rows("/departments/", {"organization": here.organization_id})
    assert [row["id"] for row in both] == [here.pk, there.pk]


def test_doctors_by_department_level_and_name_with_the_fee_of_today(program):
    chief = ServiceFactory(code="chief", level="chief", price_code="none")
    one, other = RoleFactory(), RoleFactory(service=chief)

    assert [row["id"] for row in program.rows("/doctors/", {"department": one.department_id})] == [one.pk]
    [row] = program.rows("/doctors/", {"level": "chief", "q": "wys"})
    assert (row["id"], row["fee"], row["service"]["level"]) == (other.pk, None, "chief")
    shown = program.get(f"/doctors/{one.pk}/").json()
    assert shown["fee"] == "20.00"
    assert shown["department"] == {"id": one.department_id, "name": one.department.name}


def test_teams(program):
    team = TeamFactory(introduction="心脏")

    [row] = program.rows("/teams/", {"department": team.department_id})
    assert (row["name"], row["introduction"], row["service"]["level"]) == ("冠心病团队", "心脏", "team")
    assert program.get(f"/teams/{team.pk}/").json() == row


def test_schedules_by_day_half_doctor_and_whether_numbers_are_left(program):
    soon = open_schedule(numbers=2)
    late = open_schedule(numbers=2, day=soon.day + timedelta(days=1), half="pm")
    full = open_schedule(numbers=1)
    appointment_row(full, PatientFactory())

    def found(**query):
        return [row["id"] for row in program.rows("/schedules/", query)]

    assert found() == [soon.pk, full.pk, late.pk]
    assert found(free="true") == [soon.pk, late.pk]
    assert found(half="pm") == [late.pk]
    assert found(day_to=soon.day.isoformat(), doctor=soon.role_id) == [soon.pk]
    assert found(day_from=late.day.isoformat()) == [late.pk]


def test_a_schedule_says_what_is_left_for_the_tokens_channel(program, account):
    schedule = open_schedule(numbers=3, opened=NOW + timedelta(hours=1))

    row = program.get(f"/schedules/{schedule.pk}/").json()

    assert (row["state"], row["left"], row["opens_at"]) == ("unreleased", 0, "2026-11-23T11:00:00+08:00")
    assert (row["starts_at"], row["day"], row["fee"]) == ("2026-12-21T08:00:00+08:00", "2026-12-21", "20.00")
    assert (row["doctor"]["name"], row["team"]) == (schedule.role.practitioner.name, None)


def test_an_over_schedule_is_in_no_list_but_still_has_its_address(program):
    past = open_schedule(numbers=1, day=(NOW - timedelta(days=1)).date())

    assert program.rows("/schedules/") == []
    assert program.get(f"/schedules/{past.pk}/").json()["left"] == 0


def test_the_leaders_own_schedule_is_not_among_those_with_numbers(program):
    """B11: also on schedules laid out before the doctor became a leader."""
    schedule = open_schedule(numbers=2)
    TeamMemberFactory(role=schedule.role, leader=True)

    assert program.rows("/schedules/", {"free": "true"}) == []
    assert program.get(f"/schedules/{schedule.pk}/").json()["state"] == "gated"


def test_the_accounts_people_are_shown_in_full_with_their_documents_masked(program, account, patient):
    """B22, O4."""
    IdentifierFactory(patient=patient)
    PatientFactory()
    gone = RelatedPersonFactory(account=account)
    gone.ended_at = NOW
    gone.save()

    [row] = program.rows("/patients/")

    assert (row["id"], row["name"], row["relation"]) == (patient.pk, patient.name, "self")
    assert row["documents"] == ["**** 002X"]


def test_bookings_of_the_accounts_people_only(program, account, patient):
    """B14, B22: the latest visit first."""
    child = PatientFactory(account=account)
    first = appointment_row(open_schedule(), patient)
    second = appointment_row(open_schedule(day=first.day + timedelta(days=1)), child, status="pending")
    other = appointment_row(open_schedule(), PatientFactory())

    rows = program.rows("/appointments/")

    assert [row["id"] for row in rows] == [second.pk, first.pk]
    assert [row["id"] for row in program.rows("/appointments/", {"patient": child.pk})] == [second.pk]
    assert [row["id"] for row in program.rows("/appointments/", {"status": ["booked", "arrived"]})] == [first.pk]
    assert program.rows("/appointments/", {"patient": other.patient_id}) == []
    assert program.get(f"/appointments/{other.pk}/").status_code == 404
    assert rows[0]["hold_until"] == "2026-11-23T10:03:00+08:00"
    assert rows[1]["hold_until"] is None
    assert rows[1]["cancel_until"] == "2026-12-20T15:00:00+08:00"
    assert rows[1]["patient"] == {"id": patient.pk, "name": masking.name(patient.name)}


def test_an_ended_bond_ends_the_sight_of_bookings(program, account, patient):
    row = appointment_row(open_schedule(), patient)
    account.family.update(ended_at=NOW)

    assert program.rows("/appointments/") == []
    assert program.get(f"/appointments/{row.pk}/").status_code == 404


def test_nobody_in_particular_is_not_everybody(stopped_clock):
    """`patient=` without a value would be the whole house's list."""
    appointment_row(open_schedule(), PatientFactory())
    desk = Program(issue(AccountFactory(), "book_anyone", channel="phone"))

    answer = desk.get("/appointments/", {"patient": ""})

    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["patient"])


def test_a_token_that_books_anyone_sees_the_bookings_of_the_patient_it_names(stopped_clock):
    desk = Program(issue(AccountFactory(), "book_anyone", channel="phone"))
    row = appointment_row(open_schedule(), PatientFactory())

    assert desk.rows("/appointments/") == []
    assert [each["id"] for each in desk.rows("/appointments/", {"patient": row.patient_id})] == [row.pk]
    assert desk.get(f"/appointments/{row.pk}/").status_code == 200


def leaf(program, path, size, **query):
    """All pages forward, then back again."""
    page = program.get(path, {"page_size": size, **query}).json()
    pages, last = [page], page
    while last["next"]:
        last = program.client.get(last["next"], headers=program._headers({})).json()
        pages.append(last)
    back = [last]
    while last["previous"]:
        last = program.client.get(last["previous"], headers=program._headers({})).json()
        back.append(last)
    return [[row["id"] for row in page["results"]] for page in pages], [
        [row["id"] for row in page["results"]] for page in reversed(back)
    ]


def test_pages_by_cursor_neither_repeat_nor_skip(program):
    for n in range(5):
        DepartmentFactory(order=n // 2)
    ids = list(Department.objects.order_by("order", "id").values_list("pk", flat=True))

    forth, back = leaf(program, "/departments/", 2)

    assert forth == back == [ids[:2], ids[2:4], ids[4:]]


def test_a_list_that_falls_is_leafed_through_as_well(program, patient):
    rows = [appointment_row(open_schedule(), patient, self_service=False) for _n in range(3)]

    forth, back = leaf(program, "/appointments/", 2)

    assert forth == back == [[rows[2].pk, rows[1].pk], [rows[0].pk]]


def test_a_row_that_comes_between_two_pages_moves_nothing(program):
    for n in range(3):
        DepartmentFactory(order=n + 1)
    first = program.get("/departments/", {"page_size": 2}).json()
    DepartmentFactory(order=0)

    second = program.client.get(first["next"], headers=program._headers({})).json()

    assert len(second["results"]) == 1
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


CEILINGS = {  # the token, the page, and what a page needs besides
    "/organizations/": 2,
    "/campuses/": 2,
    "/departments/": 2,
    "/doctors/": 2,
    "/teams/": 2,
    "/schedules/": 3,  # what is left
    "/schedules/?free=true": 4,  # the hospitals whose rules hold
    "/patients/": 3,  # documents
    "/appointments/": 3,  # whose they may be
}


@pytest.mark.parametrize("path", CEILINGS)
def test_a_list_costs_the_same_however_long_it_is(program, account, patient, path, django_assert_num_queries):
    def more():
        schedule = open_schedule()
        TeamFactory()
        IdentifierFactory(patient=patient, number=f"{schedule.pk:018d}")
        appointment_row(schedule, patient, self_service=False)

    more()
    program.rows(path)  # rules are known from now on
    for _n in range(3):
        more()
        with django_assert_num_queries(CEILINGS[path]):
            program.rows(path)
