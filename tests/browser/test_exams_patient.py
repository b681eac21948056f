"""A patient's exams on a phone: booked alone, moved, in the elderly edition, without script (E2, E4)."""

from datetime import time, timedelta

from playwright.sync_api import expect

from exams.models import ExamBooking
from tests.bookings.scenes import account_with, people
from tests.consult.rooms import now, today
from tests.exams.patient.scenes import fasting, question
from tests.factories import (
    CampusFactory,
    ExamRequestFactory,
    OrganizationFactory,
    PoolFactory,
    device_session,
    exam_variant,
    open_device,
)

from .looking import covered
from .test_patient_booking import HELD, NARROW, SMALL_TARGETS, TAP, good


def ultrasound():
    OrganizationFactory(phone="0512-6600")
    CampusFactory(address="江州市人民路1号")
    PoolFactory(kind="public")
    variant = exam_variant(name="腹部超声", preparation=fasting())
    device = open_device(variant, days=())
    for ahead in (3, 4):
        device_session(
            device,
            day=today() + timedelta(days=ahead),
            starts=time(8),
            ends=time(10),
            opens_at=now() - timedelta(days=1),
        )
    question(items=[variant.item])
    return variant


def test_a_patient_books_a_simple_exam_reads_how_to_prepare_and_moves_it(open_as, axe):
    """E2, E4: home → questions → time → preparation → done → another time; every page is accessible and fits."""
    account = account_with()
    wanted = ExamRequestFactory(patient=people(account)[0], variant=ultrasound(), asked_at=now())
    page = open_as(account, "/book/", size=HELD)
    page.get_by_role("link", name="我的检查").click()
    good(page, axe)
    page.get_by_role("link", name="预约这项检查").click()

    page.get_by_text("有", exact=True).click()
    expect(page.get_by_text("有金属植入物的，不能做这项检查")).to_be_visible()  # what it means, before anything is sent
    page.get_by_text("没有", exact=True).click()
    expect(page.get_by_text("有金属植入物的，不能做这项检查")).to_be_hidden()
    good(page, axe)
    page.get_by_role("button", name="答好了 去选时间").click()
    page.get_by_text("08:30–09:00").click()
    expect(page.locator("#chosen-when")).to_contain_text("08:30–09:00")
    good(page, axe)
    page.get_by_role("button", name="选好了 去看准备").click()

    expect(page.get_by_text("22:00后禁食")).to_be_visible()
    page.get_by_role("button", name="确认预约").click()
    assert ExamBooking.objects.get().status == "pending"  # the browser asks for the tick
    page.get_by_text("我已看懂").click()
    good(page, axe)
    page.get_by_role("button", name="确认预约").click()
    expect(page.get_by_text("约好了")).to_be_visible()
    good(page, axe)

    page.get_by_role("link", name="改时间").click()
    page.get_by_text("09:30–10:00").click()
    good(page, axe)
    page.get_by_role("button", name="改到选好的时间").click()
    expect(page.get_by_text("已改时间")).to_be_visible()
    expect(page.locator(".ticket__time")).to_contain_text("09:30")

    wanted.refresh_from_db()
    row = ExamBooking.objects.get(holds=True)
    assert (wanted.status, row.status) == ("booked", "booked")
    house = page.url.partition("/exams/")[0]
    for edition, size in (("elderly", HELD), ("largest", NARROW)):
        page.context.add_cookies([{"name": "edition", "value": edition, "url": house}])
        for path in ("/exams/", f"/exams/bookings/{row.pk}/", f"/exams/bookings/{row.pk}/move/", "/book/"):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(house + path)
            assert page.evaluate(SMALL_TARGETS, TAP[edition]) == [], (path, edition)
            assert covered(page) == [], (path, edition)
            good(page, axe)
