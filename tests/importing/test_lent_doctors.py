"""P12, O2: doctors lent to another house are no part of the workbook: nothing they do there is written or retired."""

from datetime import UTC, datetime
from io import BytesIO

import pytest

from appointments.models import ScheduleTemplate
from appointments.services.importing import MISSING, import_workbook, state
from hospital import clock
from hospital.models import (
    Contract,
    Department,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    Room,
)
from hospital.workbook import writer
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.reader import read
from tests.importing.workbooks import workbook

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.fixture
def lent(tmp_path):
    """王建国 of the hospital sits at the community house as well, in a room of it."""
    import_workbook(content=read(workbook(tmp_path / "hospital.xlsx")), apply=True, now=NOW)
    wang, there = Practitioner.objects.get(code="1"), Department.objects.get(code="QK")
    service = HealthcareService.objects.get(organization=there.organization, code="PT")
    day = clock.today(NOW)
    Contract.objects.create(practitioner=wang, organization=there.organization, effective_from=day)
    role = PractitionerRole.objects.create(practitioner=wang, department=there, service=service)
    ScheduleTemplate.objects.create(
        organization=there.organization, department=there, service=service, role=role, room=Room.objects.get(code="L1"),
        weekday=3, half="am", numbers=12, effective_from=day, published_at=NOW,
    )  # fmt: skip
    return role


def written(change=lambda rows: None):
    rows = state.rows_of(Organization.objects.values_list("pk", flat=True))
    change(rows)
    return read(BytesIO(writer.packed(rows)), name="hospital.xlsx")


@pytest.mark.parametrize("retire_missing", [False, True])
def test_what_was_taken_along_and_brought_in_again_changes_nothing(lent, retire_missing):
    report = import_workbook(content=written(), apply=True, retire_missing=retire_missing, now=NOW)

    assert report.changes == []
    lent.refresh_from_db()
    assert lent.active
    assert ScheduleTemplate.objects.get(role=lent).active


def test_retiring_what_is_missing_at_home_leaves_what_is_lent(lent):
    def without_templates(rows):
        rows["template"] = []

    report = import_workbook(content=written(without_templates), apply=True, retire_missing=True, now=NOW)

    assert {change.kind for change in report.changes} == {MISSING}
    assert list(ScheduleTemplate.objects.filter(active=True)) == [ScheduleTemplate.objects.get(role=lent)]


@pytest.mark.parametrize("retire_missing", [False, True])
def test_nobody_is_put_into_the_room_where_the_lent_doctor_sits(lent, retire_missing):

    def into_his_room(rows):
        [other] = [row for row in rows["template"] if row["actor"] == "4"]
        other["weekday"] = "周三"

    with pytest.raises(WrongWorkbook, match="诊室 L1 同一时间已被占用.*按合同"):
        import_workbook(content=written(into_his_room), apply=True, retire_missing=retire_missing, now=NOW)
