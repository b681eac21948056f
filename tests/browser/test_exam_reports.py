"""E7: a report is written and released; the family and who has the slip read it; a correction keeps both."""

import re

import pytest
import time_machine
from playwright.sync_api import expect

from exams.models import ReportAccess
from exams.services.reports import links
from hospital.models import Patient
from tests.browser.conftest import sideways
from tests.browser.looking import shot
from tests.exams.reports import scenes
from tests.factories import NOW, IdentifierFactory

PHONE = (390, 844)


@pytest.fixture(autouse=True)
def _monday():
    """The server's threads and the browser need a clock that runs."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture(autouse=True)
def _shelf(settings, tmp_path):
    kept = settings.STORAGES["reports"]
    kept = {**kept, "OPTIONS": {**kept["OPTIONS"], "location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "reports": kept}


def a_file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def write_and_release(desk, axe):
    """A wrong file first: what was typed stays."""
    desk.keyboard.press("n")
    desk.get_by_label("检查所见").fill("肝脏回声增强。")
    desk.get_by_label("诊断意见").fill("脂肪肝（轻度）。")
    for column, value in (("项目", "肝右叶斜径"), ("结果", "14.2"), ("单位", "cm"), ("参考上限", "14")):
        desk.get_by_label(f"第1行 {column}").fill(value)
    desk.get_by_label("报告文件（PDF）").set_input_files(a_file("报告.pdf", b"MZ not a pdf"))
    desk.get_by_role("button", name="保存并核对").click()
    expect(desk.get_by_text("这是一个程序，不是 PDF。")).to_be_visible()
    expect(desk.get_by_label("检查所见")).to_have_value("肝脏回声增强。")
    axe(desk)
    desk.get_by_label("报告文件（PDF）").set_input_files(a_file("报告.pdf", scenes.pdf()))
    desk.get_by_role("button", name="保存并核对").click()
    expect(desk.get_by_text("偏高")).to_be_visible()
    axe(desk)
    shot(desk, "exam-report-draft")
    desk.keyboard.press("Control+Enter")
    expect(desk.get_by_text("已发布", exact=True)).to_be_visible()


def read_by_the_slip(desk, booking, open_as, axe):
    """The printed code, at a phone without an account."""
    desk.goto(desk.url.partition("/exam-reports/")[0] + f"/exam-reports/slips/{booking.pk}/")
    desk.get_by_role("button", name=re.compile("打印")).click()
    expect(desk.get_by_role("img", name="取报告二维码")).to_be_visible()
    axe(desk)
    shot(desk, "exam-report-slip")
    token = links.make(booking=booking, by=None, now=NOW)
    phone = open_as(None, f"/r/{token}/", size=PHONE)
    expect(phone.get_by_text(Patient.objects.get().name)).to_have_count(0)
    phone.get_by_label("证件号码后四位").fill("1234")
    phone.get_by_role("button", name="查看报告").click()
    expect(phone.get_by_role("alert")).to_contain_text("还可以试4次")
    axe(phone)
    assert sideways(phone) == 0
    phone.get_by_label("证件号码后四位").fill("002x")
    phone.get_by_role("button", name="查看报告").click()
    expect(phone.get_by_text("脂肪肝（轻度）。")).to_be_visible()
    with phone.expect_download() as download:
        phone.get_by_role("link", name="下载报告文件（PDF）").click()
    assert download.value.suggested_filename.endswith(".pdf")
    axe(phone)
    assert sideways(phone) == 0
    shot(phone, "exam-report-by-code")
    phone.troubles.remove(next(each for each in phone.troubles if "422" in each))
    return phone


def test_a_report_is_written_read_by_family_and_by_its_code_and_corrected(open_as, axe):
    """E7"""
    booking = scenes.done_exam()
    IdentifierFactory(patient=booking.patient)
    desk = open_as(scenes.reporter(), "/exam-reports/", size=(390, 844))
    search = desk.get_by_role("searchbox").bounding_box()
    assert search["x"] + search["width"] <= 390  # on the phone, beside a wide table
    desk.set_viewport_size({"width": 1440, "height": 900})
    axe(desk)
    write_and_release(desk, axe)
    at = desk.url

    family = open_as(scenes.family_account(booking), "/reports/", size=PHONE)
    axe(family)
    family.get_by_role("link", name=re.compile("腹部超声")).click()
    expect(family.get_by_text("偏高")).to_be_visible()
    axe(family)
    assert sideways(family) == 0
    shot(family, "exam-report-family")
    phone = read_by_the_slip(desk, booking, open_as, axe)

    desk.goto(at)
    desk.keyboard.press("e")
    desk.get_by_label("更正原因").fill("程度写错")
    desk.get_by_label("诊断意见").fill("脂肪肝（中度）。")
    desk.get_by_role("button", name="看更正后的样子").click()
    expect(desk.get_by_role("region", name="更正后是这样")).to_contain_text("脂肪肝（中度）。")
    axe(desk)
    shot(desk, "exam-report-correction")
    desk.get_by_role("button", name="确认更正并发布").click()
    expect(desk.get_by_role("link", name="第2版")).to_be_visible()

    family.reload()
    expect(family.get_by_text("脂肪肝（中度）。")).to_be_visible()
    expect(family.get_by_text("程度写错")).to_be_visible()
    family.get_by_role("link", name=re.compile("发布的一版")).click()
    expect(family.get_by_text("脂肪肝（轻度）。")).to_be_visible()
    expect(family.get_by_text("不再有效")).to_be_visible()
    axe(family)
    phone.reload()
    phone.get_by_text(re.compile("不再有效")).click()
    expect(phone.get_by_text("脂肪肝（轻度）。")).to_be_visible()
    desk.goto(f"{at}readers/")
    expect(desk.get_by_text("持取报告条的人").first).to_be_visible()
    axe(desk)
    assert set(ReportAccess.objects.values_list("way", flat=True)) == {"staff", "account", "link"}
    assert (family.troubles, phone.troubles) == ([], [])
