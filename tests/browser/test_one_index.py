"""P10 in a real browser: the window finds one person twice, merges the records and takes it back; agreements end."""

import pytest
import time_machine
from playwright.sync_api import expect

from hospital import patient_index
from hospital.models import Patient
from tests.browser.conftest import sideways
from tests.factories import NOW, CommunityFactory, IdentifierFactory, OrganizationFactory, PatientFactory, StaffFactory


@pytest.fixture
def twice(transactional_db):
    """周志明, once with a passport and once with the identity card."""
    with time_machine.travel(NOW, tick=True):
        OrganizationFactory()
        CommunityFactory()
        rows = [
            PatientFactory(name="周志明", pinyin="zhouzhiming", initials="zzm", medical_number=f"M1000000{n}")
            for n in (1, 2)
        ]
        IdentifierFactory(patient=rows[1], seen_at=NOW)
        patient_index.find_all(now=NOW)
        yield rows


def test_two_records_become_one_and_two_again(twice, open_as, axe):
    page = open_as(StaffFactory(roles=["counter", "office"]), "/office/duplicates/")
    axe(page)
    page.get_by_role("link", name="核对 M10000001 和 M10000002").click()
    expect(page.get_by_text("尾号 002X")).to_be_visible()
    axe(page)
    page.get_by_label("周*明 M10000002").check()
    page.get_by_label("理由").first.fill("身份证原件")
    page.get_by_role("button", name="合并", exact=True).click()
    expect(page.get_by_label("理由").first).to_have_value("身份证原件")
    page.troubles.clear()  # the browser's own word on the 422
    page.get_by_label("已和本人核对").check()
    page.get_by_role("button", name="合并", exact=True).click()
    expect(page.get_by_text("M10000001 已并入 M10000002")).to_be_visible()
    assert not Patient.objects.get(pk=twice[0].pk).active

    page.get_by_role("link", name="合并记录").first.click()
    axe(page)
    page.get_by_role("link", name="撤销 M10000001 的合并").click()
    axe(page)
    page.get_by_label("理由").fill("是他弟弟")
    page.get_by_role("button", name="撤销合并").click()
    expect(page.get_by_text("两份档案恢复原样")).to_be_visible()
    assert Patient.objects.get(pk=twice[0].pk).active

    page.goto(page.url.split("/office/")[0] + "/office/partners/agreements/")
    page.get_by_label("下级机构").select_option("柳堤社区卫生服务中心")
    page.get_by_role("button", name="登记协议").click()
    expect(page.get_by_role("rowheader", name="柳堤社区卫生服务中心")).to_be_visible()
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert sideways(page) == 0
    assert page.troubles == []
