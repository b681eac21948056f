"""Prepaid, wherever a booking begins: each way leads to its page of paying, and the money confirms what was held."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from appointments.models import Appointment
from billing.models import Invoice
from billing.services import invoicing, paying
from exams.models import ExamBooking
from hospital.models import AuditEvent, PriceItem
from hospital.prepaid import PayFirst
from referrals.models import Referral
from referrals.services import booking_for, numbers
from tests.bookings.scenes import choose, text_of
from tests.bookings.scenes import clinic as step_four_clinic
from tests.channels.calling import book, identified
from tests.channels.conftest import DOCUMENT, clinic, heart, kiosk, operator, patient, wang  # noqa: F401
from tests.exams.centre.conftest import centre, variant  # noqa: F401
from tests.exams.patient.scenes import asked_for, hold
from tests.factories import (
    NOW,
    ExamRequestFactory,
    PatientFactory,
    PoolFactory,
    ReferralFactory,
    StaffFactory,
    open_device,
    open_schedule,
)
from tests.factories.billing import pays_first
from tests.patient.test_waitlist import act, offered

pytestmark = pytest.mark.django_db
EVERYWHERE = ["web", "app", "phone", "kiosk", "consult", "counter", "ward", "partner"]


@pytest.fixture(autouse=True)
def house(_stopped_clock):
    pays_first(prepaid=EVERYWHERE)


def paid(wechat, row):
    """By whatever page: the money confirms it."""
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    paying.succeed(order=payment.order, said=wechat.pay(payment.order), now=NOW)
    row.refresh_from_db()
    return row.status


def test_an_exam_on_ones_own_phone(mine, wechat):
    """E2: that the preparation was read stays in the trail, and the exam is booked when it is paid."""
    row = hold(mine, asked_for(mine.person))
    assert "去付费" in text_of(mine.get(f"/exams/bookings/{row.pk}/confirm/"))
    assert mine.post(f"/exams/bookings/{row.pk}/confirm/", {}).status_code == 422
    answer = mine.post(f"/exams/bookings/{row.pk}/confirm/", {"read": "1"})
    assert answer.url == f"/pay/for/exam/{row.pk}/"
    page = text_of(mine.get(mine.get(answer.url).url))
    assert "腹部超声" in page
    assert "¥180.00" in page
    assert AuditEvent.objects.filter(action="exam.preparation_read", subject=f"exam:{row.pk}").exists()
    assert paid(wechat, row) == "booked"
    assert "已付费" in text_of(mine.get(f"/exams/bookings/{row.pk}/done/"))


def test_a_number_from_the_waitlist(mine, wechat):
    """B9."""
    entry = offered(mine)
    row = entry.offers.get().appointment
    answer = act(mine, entry, "accept")
    assert answer.url == f"/pay/for/appointment/{row.pk}/"
    assert paid(wechat, row) == "booked"
    assert "候补成功" in text_of(mine.get(f"/waiting/{entry.pk}/"))


def test_at_the_kiosk(kiosk, patient, clinic, wechat):  # noqa: F811
    kiosk.post("/kiosk/", {"code": DOCUMENT})
    key = re.search(r'name="visit" value="([^"]+)"', text_of(kiosk.get("/kiosk/me/")))[1]
    times = text_of(kiosk.get(f"/kiosk/departments/{clinic.department_id}/"))
    slot = re.search(r"slot=([^\"&]+)", times)[1]
    asking = text_of(kiosk.get(f"/kiosk/departments/{clinic.department_id}/?slot={slot}"))
    slot = re.search(r'name="slot" value="([^"]+)"', asking)[1]
    said = {"visit": key, "slot": slot, "department": clinic.department_id, "request_key": uuid4()}
    answer = kiosk.post("/kiosk/book/", said)
    row = Appointment.objects.get()
    assert answer.url == f"/kiosk/pay/appointment/{row.pk}/"
    assert kiosk.get(answer.url).url == f"/kiosk/pay/{Invoice.objects.get().token}/"
    assert paid(wechat, row) == "booked"


def test_at_the_phone_desk(operator, patient, clinic, wechat):  # noqa: F811
    call = identified(operator)
    answer = book(operator, call, clinic)
    row = Appointment.objects.get()
    assert answer.url.startswith(f"/desk/pay/appointment/{row.pk}/?back=")
    page = operator.get(answer.url, follow=True)
    assert "回到刚才的页面" in text_of(page)
    assert f'href="{call}"' in text_of(page)
    assert paid(wechat, row) == "booked"


def test_at_the_exam_centre(client, centre, variant, wechat):  # noqa: F811
    PoolFactory(organization=variant.item.organization)
    open_device(variant)
    asked = ExamRequestFactory(variant=variant, patient=PatientFactory(name="周小明", phone="13900001234"))
    times = client.get(reverse("exams:exam_centre_times", args=[asked.pk]))
    _day, [(device, segments)] = times.context["days"][0]
    slot = f"{device.pk}@{segments[0].first_start.isoformat()}"
    answer = client.post(reverse("exams:exam_centre_times", args=[asked.pk]), {"slot": slot})
    row = ExamBooking.objects.get()
    assert answer.url.startswith(f"/desk/pay/exam/{row.pk}/?back=")
    assert "腹部超声" in text_of(client.get(answer.url, follow=True))
    assert paid(wechat, row) == "booked"


def test_for_a_referral_the_number_waits_for_its_patient_and_is_taken_when_it_is_paid(wechat):
    """P2: the referral office books for somebody who is not here."""
    row = ReferralFactory(status="sent")
    office = StaffFactory(roles="referral")
    schedule = open_schedule()
    asked = {"referral": row, "schedule": schedule, "start": schedule.starts_at, "source": booking_for.OWN}
    asked |= {"side": numbers.Side.RECEIVER, "by": office, "now": NOW}
    with pytest.raises(PayFirst):
        booking_for.book(**asked, moving=None, request_key="a")
    number = Appointment.objects.get()
    assert number.status == "pending"
    assert paid(wechat, number) == "booked"
    booking_for.use(referral=row, appointment=number, by=office, side=numbers.Side.RECEIVER, now=NOW)
    assert Referral.objects.get(pk=row.pk).appointment == number


def test_what_costs_nothing_is_booked_at_once(mine):
    """A free service in a prepaid channel."""
    schedule = step_four_clinic()
    PriceItem.objects.filter(code=schedule.service.price_code).update(amount=0)
    answer = choose(mine, schedule, mine.person)
    assert answer.url == f"/bookings/{Appointment.objects.get().pk}/done/"
    assert not Invoice.objects.exists()
