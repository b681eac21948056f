"""B23, R1: an admission from the consult room to the patient's phone; attachments of a referral by hand."""

from playwright.sync_api import expect

from referrals.models import AdmissionRequest, Attachment
from tests.browser.conftest import sideways
from tests.browser.consulting import settled
from tests.consult.rooms import today
from tests.exams.consult.rooms import room_with_a_patient
from tests.factories import AccountFactory, ReferralFactory, RelatedPersonFactory, StaffFactory
from tests.referrals.admission.pictures import jpeg, png

PHONE = (390, 844)


def asked_in_the_room(open_as, axe, room):
    """A diagnosis by initials, a purpose, and that is all that is typed."""
    page = open_as(room.user, "/consult/")
    settled(page)
    page.keyboard.press(page.locator("#kind-admission").get_attribute("data-key"))
    page.get_by_label("入院诊断").press_sequentially("dnjsb")
    page.get_by_label("K80.2").check()
    page.get_by_role("button", name="提出申请").click()
    expect(page.get_by_label("入院目的或拟行手术")).to_be_focused()  # the browser says it: nothing was sent
    page.get_by_label("入院目的或拟行手术").fill("腹腔镜胆囊切除")
    page.get_by_label("日间手术", exact=True).check()
    axe(page)
    page.get_by_role("button", name="提出申请").dblclick()
    expect(page.locator("#work .notice--ok")).to_contain_text("已申请")
    axe(page)
    assert page.troubles == []


def run_by_the_office(open_as, axe):
    desk = open_as(StaffFactory(roles="referral"), "/admissions/")
    axe(desk)
    desk.locator("[data-entry]").click()
    desk.wait_for_url("**/admissions/*/")
    desk.keyboard.press("KeyA")
    expect(desk.locator(".panel__head .tag").first).to_have_text("准备中")
    for left in (2, 1, 0):
        desk.get_by_role("button", name="完成").first.click()
        expect(desk.get_by_text(f"还缺{left}项", exact=False).first).to_be_visible()
    desk.get_by_label("入院日").fill(today().isoformat())
    desk.get_by_label("报到地点").fill("外科楼 3 层")
    axe(desk)
    desk.get_by_role("button", name="安排并通知患者").click()
    expect(desk.locator(".messages")).to_contain_text("已安排")
    desk.get_by_text("暂缓安排…").click()
    axe(desk)
    assert desk.troubles == []


def test_an_admission_from_the_consult_room_to_the_phone(open_as, axe):
    """B23"""
    room = room_with_a_patient()
    asked_in_the_room(open_as, axe, room)
    row = AdmissionRequest.objects.get()
    assert (row.diagnosis_code, row.kind, row.diagnosis) == ("K80.2", "day", "胆囊结石不伴有胆囊炎")
    run_by_the_office(open_as, axe)
    account = AccountFactory()
    RelatedPersonFactory(account=account, patient=row.patient, proof="window")
    phone = open_as(account, "/my-admissions/", size=PHONE)
    expect(phone.get_by_text("外科楼 3 层")).to_be_visible()
    axe(phone)
    assert sideways(phone) == 0


def test_files_are_attached_several_at_once_and_each_hears_its_own(open_as, axe, settings, tmp_path):
    """R1"""
    kept = settings.STORAGES["referrals"]
    kept = {**kept, "OPTIONS": {**kept["OPTIONS"], "location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "referrals": kept}
    referral = ReferralFactory(status="draft")
    page = open_as(referral.by, f"/referrals/{referral.pk}/attachments/")
    files = [("化验单.jpg", jpeg()), ("心电图.png", png()), ("病历.pdf", b"MZ")]
    page.get_by_label("添加文件").set_input_files(
        [{"name": name, "mimeType": "application/pdf", "buffer": content} for name, content in files]
    )
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_role("alert")).to_contain_text("这是一个程序")
    expect(page.get_by_role("link", name="化验单.jpg")).to_be_visible()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="心电图.png").click()
    assert download.value.suggested_filename == "心电图.png"
    page.locator("#attachments .btn--danger").first.click()
    expect(page.get_by_role("link", name="化验单.jpg")).to_have_count(0)
    assert Attachment.objects.filter(removed_at=None).count() == 1
