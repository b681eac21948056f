"""导出: every list as an Excel file with its page's filters, own rows only, audited, and harmless to open."""

import io

import pytest
import time_machine
from django.urls import reverse
from openpyxl import load_workbook

from appointments.views.office import sheets
from appointments.views.office.exports import EXPORTS
from hospital.models import AuditEvent, RoleAssignment
from tests.factories import (
    NOW,
    OrganizationFactory,
    PatientFactory,
    StaffFactory,
    TemplateFactory,
    UserFactory,
    appointment_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def rows_of(client, what, **query) -> list[tuple]:
    """Header first."""
    answer = client.get(reverse("appointments:office_export", args=[what]), query)
    assert answer.status_code == 200, (what, answer.status_code)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    return [tuple(cell.value for cell in row) for row in book.active.iter_rows()]


@pytest.mark.parametrize("role", ["office", "auditor", "sysadmin"])
def test_every_list_can_be_taken_along_by_who_may_read_it(client, role):
    client.force_login(StaffFactory(roles=role))
    row = open_schedule()
    TemplateFactory(role=row.role)

    found = {what: rows_of(client, what, **({"schedule": row.pk} if what == "patients" else {})) for what in EXPORTS}

    assert all(rows[0][0] for rows in found.values())
    told = AuditEvent.objects.filter(action="office.exported").order_by("pk")
    assert [event.detail["rows"] for event in told] == [len(rows) - 1 for rows in found.values()]
    assert len(found["templates"]) == 2


def test_the_week_keeps_the_pages_filters(client):
    client.force_login(StaffFactory(roles="office"))
    one, _other = open_schedule(numbers=10), open_schedule(numbers=4)
    appointment_row(one, PatientFactory())

    [row] = rows_of(client, "week", week=one.day.isoformat(), department=one.department_id)[1:]

    assert row[0] == one.department.name
    assert row[5:11] == ("上午", "开诊", 1, 10, 9, 0)
    assert AuditEvent.objects.get(action="office.exported").detail["filters"] == ["department", "week"]


def test_the_numbers_of_a_session_stand_in_their_order(client):
    client.force_login(StaffFactory(roles="office"))
    row = open_schedule(numbers=3)
    numbers = rows_of(client, "numbers", schedule=row.pk)[1:]
    assert [(one[6], f"{one[7]:%H:%M}", one[9]) for one in numbers] == [
        (1, "08:00", "公共"), (2, "09:20", "公共"), (3, "10:40", "公共"),
    ]  # fmt: skip


def test_people_are_masked_in_a_file_as_on_the_page(client):
    client.force_login(StaffFactory(roles="office"))
    row = open_schedule()
    appointment_row(row, PatientFactory(name="周志明", phone="13800136210"))
    [line] = rows_of(client, "patients", schedule=row.pk)[1:]
    assert line[2:5] == ("周*明", line[3], "138****6210")


def test_the_office_of_one_department_takes_its_own_rows_only(client):
    mine, other = open_schedule(numbers=2), open_schedule(numbers=3)
    user = UserFactory()
    RoleAssignment.objects.create(
        user=user, role="office", organization=OrganizationFactory(), department=mine.department
    )
    client.force_login(user)
    assert len(rows_of(client, "numbers", day=mine.day.isoformat())) == 3
    assert {row[0] for row in rows_of(client, "week", week=mine.day.isoformat())[1:]} == {mine.department.name}
    address = reverse("appointments:office_export", args=["patients"])
    assert client.get(address, {"schedule": other.pk}).status_code == 404


def test_the_phone_desk_takes_its_call_list_and_nothing_else(client):
    client.force_login(StaffFactory(roles="phone"))
    assert rows_of(client, "calls")[0][0] == "患者"
    for what in ("week", "nothing"):
        assert client.get(reverse("appointments:office_export", args=[what])).status_code == 404


@pytest.mark.parametrize("text", ["=1+1", "+86138", "-1", "@sum", "\t=1", "\r=1"])
def test_what_looks_like_a_formula_is_marked_as_text(text):
    assert sheets.safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["心内科", "", None, 3, True])
def test_what_does_not_is_left_as_it_is(value):
    assert sheets.safe(value) == value


def test_a_name_that_is_a_formula_is_none_in_the_file(client):
    client.force_login(StaffFactory(roles="office"))
    row = open_schedule()
    row.department.name = '=HYPERLINK("http://x")'
    row.department.save()
    assert rows_of(client, "numbers", schedule=row.pk)[1][0] == '\'=HYPERLINK("http://x")'


def test_a_list_that_is_too_long_says_so_in_its_last_row(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    file, count = sheets.workbook([("表", ["列"], ([n] for n in range(5)))])
    values = [cell.value for (cell,) in load_workbook(file).active.iter_rows()]
    assert (count, values) == (2, ["列", 0, 1, "只导出了前 2 行。请在页面上缩小筛选范围后再导出。"])
