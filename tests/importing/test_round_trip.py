"""O2: the hospital as it stands, taken along and brought in again unchanged, is a no-op whatever it holds."""

from datetime import date, time
from io import BytesIO

import pytest

from appointments.models import ScheduleTemplate
from appointments.services.importing import import_workbook, state
from hospital.models import CalendarDay, HealthcareService, Organization, PractitionerRole, PriceItem, Room
from hospital.workbook import spec, writer
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.reader import read

from .state import NOW

pytestmark = pytest.mark.django_db
NEVER = date(9999, 12, 31)


@pytest.fixture
def houses(bring):
    """Two houses with every sheet, and what the office's pages make of them over the years."""
    bring()
    house, branch = Organization.objects.get(code="H"), Organization.objects.get(code="C")
    CalendarDay.objects.create(organization=branch, day=date(2027, 3, 8), kind="holiday", name="社区修缮")
    CalendarDay.objects.create(organization=house, day=date(2027, 3, 9), kind="holiday", name="院庆")
    CalendarDay.objects.create(organization=branch, day=date(2027, 3, 9), kind="workday", name="院庆义诊", follows=6)
    CalendarDay.objects.create(organization=house, day=NEVER, kind="holiday", name="永不")
    wang = PractitionerRole.objects.get(practitioner__code="1")
    general = HealthcareService.objects.get(organization=house, code="PT")
    PractitionerRole.objects.create(
        practitioner=wang.practitioner, department=wang.department, service=general, active=False
    )
    PriceItem.objects.filter(code="ZR").update(effective_to=date(2026, 12, 31))
    PriceItem.objects.create(organization=house, code="ZR", name="主任门诊", amount=60, effective_from=date(2027, 1, 1))
    template_rows(wang)
    return house, branch


def template_rows(wang):
    """A pattern that was retired and its successor in another room; one half-day in two rooms by turns."""
    first = ScheduleTemplate.objects.get(role=wang)
    other = Room.objects.get(code="B3")
    same = {name: getattr(first, name) for name in ("organization", "department", "service", "role", "published_at")}
    same |= {"half": "am", "numbers": 6, "effective_from": date(2026, 1, 1)}
    ScheduleTemplate.objects.create(**same, room=other, weekday=1, active=False)
    ScheduleTemplate.objects.create(
        **same, room=first.room, weekday=4, starts=time(8), ends=time(10), effective_to=NEVER
    )
    ScheduleTemplate.objects.create(**same, room=other, weekday=4, starts=time(10), ends=time(12))


@pytest.mark.parametrize("retire_missing", [False, True])
def test_the_present_hospital_brought_in_again_changes_nothing(houses, retire_missing):
    rows = state.rows_of([house.pk for house in houses])
    assert all(rows[sheet.key] for sheet in spec.SHEETS)

    content = read(BytesIO(writer.packed(rows)), name="present.xlsx")
    report = import_workbook(content=content, apply=True, retire_missing=retire_missing, now=NOW)

    assert report.changes == []
    assert len(rows["template"]) == 7  # the retired twin is no row of its own


def test_a_day_of_one_house_names_it_and_a_common_day_names_none(houses):
    days = state.rows_of([house.pk for house in houses])["calendar"]

    kept = {(row["day"], row["name"]): row["organizations"] for row in days}
    assert kept[date(2026, 10, 1), "国庆节"] is None
    assert (kept[date(2027, 3, 8), "社区修缮"], kept[date(2027, 3, 9), "院庆"]) == ("C", "H")


def test_a_day_is_brought_to_the_houses_that_its_row_names(bring):
    bring(lambda rows: rows["calendar"].append(
        {"day": date(2027, 3, 8), "kind": "放假", "name": "社区修缮", "organizations": "C"}
    ))  # fmt: skip

    assert [row.organization.code for row in CalendarDay.objects.filter(day=date(2027, 3, 8))] == ["C"]


def test_one_house_keeps_a_day_once(bring):
    def change(rows):
        rows["calendar"].append(rows["calendar"][0] | {"name": "另一个名称", "organizations": "C"})

    with pytest.raises(WrongWorkbook) as caught:
        bring(change)

    assert [one.sentences()[0] for one in caught.value.problems] == ["和第 2 行重复。"]
