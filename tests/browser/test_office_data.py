"""An Excel import with errors, corrected, applied (O2), and a change of hours, in a real browser."""

import pytest
import time_machine
from playwright.sync_api import expect

from appointments.models import Schedule
from hospital.models import Organization, Practitioner, RoleAssignment
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.factories import NOW, UserFactory
from tests.importing.workbooks import workbook


@pytest.fixture
def office():
    with time_machine.travel(NOW, tick=True):
        user = UserFactory()
        house = Organization.objects.create(code="H", name="区医院", kind="hospital")
        RoleAssignment.objects.create(user=user, role="office", organization=house)
        yield user


def test_a_workbook_with_errors_is_corrected_and_applied(office, open_as, axe, tmp_path):
    page = open_as(office, "/office/imports/")
    axe(page)
    assert sideways(page) == 0
    shot(page, "office-imports")

    def upload(path):
        page.get_by_label("Excel 文件").set_input_files(path)
        page.get_by_role("button", name="上传并查看结果").click()

    page.get_by_role("button", name="上传并查看结果").click()  # without a file: the browser itself asks for it
    expect(page).to_have_url(page.url)

    def wrong(rows):
        rows["template"][0]["numbers"] = -1
        rows["doctor"][1]["title"] = "神医"

    upload(workbook(tmp_path / "wrong.xlsx", wrong))
    expect(page.get_by_text("文件有 2 处错误，什么都没有导入。")).to_be_visible()
    expect(page.get_by_role("row", name="出诊模板 2 J 号数 -1 超出范围。")).to_be_visible()
    axe(page)
    shot(page, "office-import-errors")
    page.keyboard.press("Escape")

    upload(workbook(tmp_path / "right.xlsx"))
    expect(page.get_by_text("逐行变动")).to_be_visible()
    axe(page)
    shot(page, "office-import-preview")
    page.get_by_role("button", name="确认执行").click()

    expect(page.locator(".panel__head .tag", has_text="已执行")).to_be_visible()
    assert Practitioner.objects.count() == 4
    assert page.troubles == []

    page.goto(page.url.split("/office/")[0] + "/office/hours/")  # O8, on the hours that have just come in
    page.get_by_label("从哪天起").fill("2027-05-01")
    page.get_by_label("上午开始").fill("08:00")
    page.get_by_label("上午结束").fill("12:00")
    page.get_by_label("原因").fill("夏季作息")
    page.get_by_role("button", name="看看影响哪些出诊和患者").click()
    expect(page.get_by_text("没有要改的。")).to_be_visible()
    axe(page)
    shot(page, "office-hours")
    page.get_by_label("上午开始").fill("07:30")
    page.get_by_role("button", name="看看影响哪些出诊和患者").click()
    expect(page.get_by_role("button", name="确认调整")).to_be_visible()
    axe(page)
    shot(page, "office-retime")
    assert Schedule.objects.count() == 0
    assert sideways(page) == 0
    assert [said for said in page.troubles if "422" not in said] == []  # the browser notes the refused form


def test_the_data_pages_fit_a_phone(office, open_as, axe):
    for path in ("/office/imports/", "/office/hours/"):
        page = open_as(office, path, size=(390, 844))
        assert sideways(page) == 0, path
        axe(page)
        shot(page, f"phone-office-{path.split('/')[2]}")
