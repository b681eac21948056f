"""What an import leaves alone, whom it strands, and the command around it (P2, O2)."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from appointments.errors import Inactive
from appointments.models import Schedule, Slot
from appointments.services import booking, planning
from hospital.models import Organization, PriceItem, Room
from tests.factories import PatientFactory
from tests.importing.state import NOW
from tests.importing.workbooks import workbook

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


def lay_out_monday():
    hospital = Organization.objects.get(code="H")
    planning.lay_out(organization=hospital, first_day=MONDAY, last_day=MONDAY, now=NOW)
    return Schedule.objects.get(role__practitioner__code="1", day=MONDAY)


def test_an_import_touches_no_number_and_no_laid_out_half_day(bring):
    bring()
    schedule = lay_out_monday()
    numbers = list(Slot.objects.filter(schedule=schedule).values())

    bring(lambda rows: rows["template"][0].update(numbers=24))

    assert list(Slot.objects.filter(schedule=schedule).values()) == numbers
    assert Schedule.objects.get(pk=schedule.pk).capacity == 20


def off_duty(rows):
    rows["doctor"][0]["active"] = "否"
    rows["template"][0]["active"] = "否"


def test_the_free_numbers_of_a_doctor_off_duty_can_not_be_booked(bring):
    bring()
    schedule = lay_out_monday()
    bring(off_duty)

    with pytest.raises(Inactive):
        booking.book(schedule=schedule, patient=PatientFactory(), channel="consult", by=None, request_key=None, now=NOW)


def test_the_booked_patients_of_a_doctor_off_duty_are_listed_and_keep_their_numbers(bring):
    bring()
    schedule = lay_out_monday()
    booked = booking.book(
        schedule=schedule, patient=PatientFactory(), channel="consult", by=None, request_key=None, confirmed=True,
        now=NOW,
    )  # fmt: skip

    report = bring(off_duty)

    assert [(one.schedule, one.booked) for one in report.stranded] == [(schedule.pk, 1)]
    booked.refresh_from_db()
    assert booked.status == "booked"


def test_past_half_days_of_a_doctor_off_duty_are_nobodys_worry(bring):
    bring()
    schedule = lay_out_monday()
    booking.book(
        schedule=schedule, patient=PatientFactory(), channel="consult", by=None, request_key=None, confirmed=True,
        now=NOW,
    )  # fmt: skip
    Schedule.objects.update(starts_at=NOW - timedelta(hours=5), ends_at=NOW - timedelta(hours=1))

    assert bring(off_duty).stranded == []


def told(*arguments, **options) -> str:
    out = StringIO()
    call_command("import_hospital", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_command_previews_unless_told_to_apply(tmp_path):
    path = str(workbook(tmp_path / "hospital.xlsx"))

    assert told(path).endswith("这是预览，什么都没有改。加 --apply 导入。\n")
    assert not Room.objects.exists()
    assert told(path, apply=True).endswith("已导入。\n")
    assert told(path, apply=True) == "和系统一致，没有要改的。\n"


def test_the_command_shows_before_and_after(tmp_path):
    path = tmp_path / "hospital.xlsx"
    told(str(workbook(path)), apply=True)

    shown = told(str(workbook(path, lambda rows: rows["service"][1].update(amount=60))))

    assert shown.splitlines()[:3] == ["变更 1", "  号别与价格 第 3 行 主任门诊 2026-01-01", "      价格：50.00 → 60.00"]


def test_the_command_says_so_when_the_database_refuses(tmp_path):
    """Support staff wrote a price by hand that no workbook knows: it would hold at the same time."""
    path = tmp_path / "hospital.xlsx"
    told(str(workbook(path)), apply=True)
    PriceItem.objects.filter(code="ZR").update(effective_from=date(2025, 1, 1), effective_to=date(2026, 12, 31))

    with pytest.raises(CommandError, match="price_one_at_a_time"):
        told(str(workbook(path, lambda rows: rows["service"][1].update(code="ZR"))), apply=True)

    assert PriceItem.objects.filter(code="ZR").count() == 1


def test_the_command_lists_every_wrong_cell(tmp_path):
    def change(rows):
        rows["template"][0]["numbers"] = -1
        rows["doctor"][0]["title"] = "神医"

    with pytest.raises(CommandError) as caught:
        told(str(workbook(tmp_path / "hospital.xlsx", change)), apply=True)

    lines = str(caught.value).splitlines()
    assert lines[0] == "工作簿有 2 处错误，什么都没有导入："
    assert lines[2] == "  出诊模板 第 2 行 J 号数：-1 超出范围。请填 1 到 300 之间的整数。"
