"""The HIS's workstation opens the consult room in a browser (O1): the right patient, or a page that says why not."""

from datetime import timedelta
from urllib.parse import urlencode

from playwright.sync_api import expect

from hospital import clock
from hospital.integration import signing
from hospital.models import ExternalRecord, IntegrationKey
from tests.browser.conftest import sideways
from tests.consult.rooms import doctor_with_a_room
from tests.factories import OrganizationFactory

SECRET = "between the house and the workstations"


def known_to_the_other_system(room) -> None:
    """The patients who wait are 1001 with visit V1, 1002 with visit V2."""
    IntegrationKey.objects.create(organization=OrganizationFactory(), system="his", secret=SECRET)
    for place, encounter in enumerate(room.waiting, 1):
        subject = f"appointment:{encounter.appointment_id}"
        for kind, number, about in (("patient", f"100{place}", ""), ("visit", f"V{place}", subject)):
            ExternalRecord.objects.create(
                system="his", kind=kind, number=number, patient=encounter.patient, subject=about, digest="",
                changed_at=clock.now(), received_at=clock.now(),
            )  # fmt: skip


def link(room, *, place: int, nonce: str) -> str:
    exp = str(int((clock.now() + timedelta(seconds=60)).timestamp()))
    fields = {"system": "his", "doctor": room.doctor.code, "patient": f"100{place}", "visit": f"V{place}"}
    fields |= {"exp": exp, "nonce": nonce * 20}
    signature = signing.link_signature(secret=SECRET, fields=fields)
    return f"/consult/open/?{urlencode({**fields, 'signature': signature})}"


def test_a_workstation_opens_one_patient_after_the_other(open_as, axe, live_server):
    room = doctor_with_a_room(waiting=2)
    known_to_the_other_system(room)
    first = link(room, place=1, nonce="a")

    page = open_as(None, first)
    expect(page.locator("h2", has_text="李秀英").or_(page.get_by_text("李秀英")).first).to_be_visible()
    assert page.url == f"{live_server.url}/consult/"  # nothing of the link is left in the address
    page.reload()
    expect(page.get_by_text("李秀英").first).to_be_visible()

    page.goto(live_server.url + link(room, place=2, nonce="b"))
    expect(page.locator("h1")).to_have_text("诊室里还是李*英。")
    axe(page)
    page.set_viewport_size({"width": 1024, "height": 700})
    assert sideways(page) == 0
    page.get_by_role("button", name="结束李*英，请张*兰进来").click()
    expect(page.get_by_text("张桂兰").first).to_be_visible()

    page.goto(live_server.url + first)
    expect(page.locator("h1")).to_have_text("这个链接已经打开过一次。")
    expect(page.locator("main")).to_contain_text("请回到医生工作站重新打开。")
    axe(page)
    page.get_by_role("link", name="去诊间页面").click()
    expect(page.get_by_text("张桂兰").first).to_be_visible()
