"""M4: the agreement on the phone and at the window, and one settlement at each of the four places."""

from datetime import timedelta

import pytest
import time_machine

from billing.models import CreditAgreement, Invoice, PaymentRule
from billing.selectors import rules
from billing.selectors.ledger import balance
from hospital.permissions import CODE_AT
from tests.bookings.scenes import choose, where
from tests.factories import (
    NOW,
    AccountFactory,
    IdentifierFactory,
    OrganizationFactory,
    PatientFactory,
    RelatedPersonFactory,
    StaffFactory,
    open_schedule,
)
from tests.factories.billing import ShiftFactory, credit_for, pays_first

from .scenes import hold, invoice_of, owed, sound, texts, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def patient(db):
    pays_first()
    return PatientFactory(name="钱进", phone="13800136210")


@pytest.fixture
def house(patient):
    return OrganizationFactory()


@pytest.fixture
def phone(client, patient):
    """Signed in with a code a moment ago, the person proved at the window."""
    account = AccountFactory()
    client.force_login(account)
    client.account = account
    client.binding = RelatedPersonFactory(account=account, patient=patient, proof="desk")
    session = client.session
    session[CODE_AT] = NOW.timestamp()
    session.save()
    return client


def test_a_patient_signs_on_the_phone_and_ends_it(phone, patient, house):
    here = f"/credit/{house.pk}/{patient.pk}/"
    assert "没有签署" in phone.get("/credit/").content.decode()
    page = phone.get(here).content.decode()
    assert "记账总额最多 1000.00 元" in page
    unread = phone.post(here, {})
    assert (unread.status_code, "请先勾选" in unread.content.decode()) == (422, True)
    assert "已签署" in phone.post(here, {"read": "on"}, follow=True).content.decode()
    assert CreditAgreement.objects.get().by == phone.account
    assert "看约定，或终止" in phone.get("/credit/").content.decode()
    assert "协议已终止，有效到今天" in phone.post(f"{here}end/", follow=True).content.decode()
    work(NOW)
    assert [text.split("|")[0] for text in texts(patient)] == ["已签署先诊疗后付费协议", "先诊疗后付费协议已终止"]


def test_nobody_signs_for_a_person_whom_nobody_proved_or_who_is_not_theirs(phone, patient, house):
    here = f"/credit/{house.pk}/{patient.pk}/"
    type(phone.binding).objects.filter(pk=phone.binding.pk).update(proof="registered")
    assert "请带就诊人的证件到收费窗口签署" in phone.get(here).content.decode()
    assert phone.post(here, {"read": "on"}).status_code == 409
    assert phone.get(f"/credit/{house.pk}/{PatientFactory().pk}/").status_code == 404
    assert phone.post(f"/credit/{house.pk}/{PatientFactory().pk}/settle/").status_code == 404
    assert not CreditAgreement.objects.exists()


def test_signing_asks_for_a_fresh_code(phone, patient, house):
    session = phone.session
    session[CODE_AT] = (NOW - timedelta(hours=1)).timestamp()
    session.save()
    answer = phone.post(f"/credit/{house.pk}/{patient.pk}/", {"read": "on"})
    assert answer.headers["Location"].startswith("/sign-in/again/")


def test_who_is_overdue_is_told_before_booking_and_beside_the_bill_that_they_pay_first(phone, patient):
    """Also where nobody else pays first on the phone."""
    PaymentRule.objects.update(prepaid=["kiosk"])
    rules.forget()
    Invoice.objects.filter(pk=owed(patient, days=20).pk).update(due_at=NOW - timedelta(days=1))
    schedule = open_schedule()
    page = phone.get(where(schedule)).content.decode()
    late = "有账单已过付清的日期：付清之前需要先付费。"
    assert (late in page, 'href="/credit/">去付清' in page, "网上不收钱" in page) == (True, True, False)

    page = phone.get(choose(phone, schedule, patient).url, follow=True).content.decode()
    assert ("应付" in page, late in page, 'href="/credit/">去付清' in page) == (True, True, True)


def test_all_that_is_owed_is_one_invoice_on_the_phone(phone, patient, house, django_assert_max_num_queries):
    for days in (20, 28, 12):
        owed(patient, days=days)
    with django_assert_max_num_queries(24):
        page = phone.get("/credit/").content.decode()
    assert "一次付清 ¥60.00" in page
    assert "先诊疗后付费的一次付清" in phone.get("/invoices/").content.decode()
    answer = phone.post(f"/credit/{house.pk}/{patient.pk}/settle/")
    [invoice] = Invoice.objects.filter(status="owed")
    assert answer.headers["Location"] == f"/pay/{invoice.token}/"
    assert "60.00" in phone.get(answer.headers["Location"]).content.decode()
    assert balance("patient_due", invoice=invoice) == 60
    before = Invoice.objects.filter(status="void").first()
    assert phone.get(f"/pay/{before.token}/").headers["Location"] == answer.headers["Location"]
    sound()


def test_the_window_signs_with_the_document_seen_and_puts_a_bill_on_credit(client, patient, house):
    IdentifierFactory(patient=patient)
    client.force_login(ShiftFactory().cashier)
    assert client.post("/cashier/credit/", {"q": ""}).status_code == 422
    assert "没有找到" in client.post("/cashier/credit/", {"q": "查无此人"}).content.decode()
    here = client.post("/cashier/credit/", {"q": "钱进"}).headers["Location"]
    assert "没有签署" in client.get(here).content.decode()
    assert "先诊疗后付费协议" in client.get(f"{here}paper/").content.decode()
    half = client.post(f"{here}sign/", {"seen": "on"})
    assert (half.status_code, "已在纸质协议上签字" in half.content.decode()) == (422, True)
    client.post(f"{here}sign/", {"seen": "on", "signed": "on"})
    row = hold(patient)
    invoice = invoice_of(row)
    page = client.get(f"/cashier/invoice/{invoice.token}/").content.decode()
    assert f"/cashier/credit/use/{invoice.token}/" in page
    client.post(f"/cashier/credit/use/{invoice.token}/", {"next": "//elsewhere.example/"})
    row.refresh_from_db()
    assert row.status == "booked"
    again = client.post(f"/cashier/credit/use/{invoice.token}/", {"next": here}, follow=True)
    assert "已按先诊疗后付费记账" in again.content.decode()
    assert "协议已终止" in client.post(f"{here}end/", follow=True).content.decode()


def test_the_window_the_kiosk_and_the_consult_room_settle_all_at_once(client, patient, house):
    for days in (20, 28):
        owed(patient, days=days)
    client.force_login(ShiftFactory().cashier)
    answer = client.post(f"/cashier/credit/{patient.pk}/settle/")
    [invoice] = Invoice.objects.filter(status="owed")
    assert answer.headers["Location"] == f"/cashier/invoice/{invoice.token}/"
    client.force_login(StaffFactory(roles="doctor"))
    answer = client.post(f"/consult/owed/{house.pk}/{patient.pk}/")
    assert answer.headers["Location"].startswith(f"/desk/pay/{invoice.token}/")
    assert client.post(f"/consult/owed/{OrganizationFactory(code='H9').pk}/{patient.pk}/").status_code == 404
    assert client.post(f"/consult/owed/{house.pk}/{PatientFactory().pk}/").headers["Location"] == "/consult/"


def test_credit_refused_at_the_window_says_why(client, patient, house):
    credit_for(patient, limit="10.00")
    client.force_login(ShiftFactory().cashier)
    invoice = invoice_of(hold(patient))
    answer = client.post(f"/cashier/credit/use/{invoice.token}/", {"next": "/cashier/credit/"}, follow=True)
    assert "超过先诊疗后付费的额度" in answer.content.decode()
    assert "超过先诊疗后付费的额度" in client.get(f"/cashier/invoice/{invoice.token}/").content.decode()


@pytest.fixture
def machine(client, patient):
    """The person stands before the machine."""
    client.force_login(StaffFactory(roles="kiosk"))
    session = client.session
    session["kiosk_visit"] = {"patient": patient.pk, "key": "k", "seen": NOW.timestamp()}
    session.save()
    return client


def test_at_the_kiosk_a_bill_is_put_on_credit_and_all_of_it_paid_at_once(machine, patient, house):
    invoice = invoice_of(hold(patient))
    refused = machine.post(f"/kiosk/owed/{invoice.token}/", {"visit": "k"})
    assert (refused.status_code, "没有签署先诊疗后付费协议" in refused.content.decode()) == (409, True)
    credit_for(patient)
    assert "先看病，后付费" in machine.get(f"/kiosk/pay/{invoice.token}/").content.decode()
    assert (
        machine.post(f"/kiosk/owed/{invoice_of(hold(PatientFactory(), number=2)).token}/", {"visit": "k"}).status_code
        == 404
    )
    machine.post(f"/kiosk/owed/{invoice.token}/", {"visit": "k"})
    invoice.refresh_from_db()
    assert invoice.status == "owed"
    owed(patient, days=28)
    answer = machine.post("/kiosk/owed/", {"visit": "k"})
    [taker] = Invoice.objects.filter(status="owed")
    assert (answer.headers["Location"], taker.total) == (f"/kiosk/pay/{taker.token}/", 40)
    assert machine.post("/kiosk/owed/", {"visit": "of somebody before"}).headers["Location"] == "/kiosk/"


def test_who_is_overdue_reads_at_the_kiosk_why_they_pay_first(machine, patient):
    Invoice.objects.filter(pk=owed(patient, days=20).pk).update(due_at=NOW - timedelta(days=1))
    page = machine.get(f"/kiosk/pay/{invoice_of(hold(patient, days=28)).token}/").content.decode()
    assert ("请先付清欠费，或这一次先付费。" in page, "先看病，后付费" in page) == (True, False)
