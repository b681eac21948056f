"""M2, M6: a payment whose hold was swept, told of by everybody at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep
from uuid import uuid4

import pytest
from django.db import connection, transaction

from appointments.models import Appointment
from appointments.services import booking, changes
from billing.models import Refund
from billing.services import delivering, invoicing, locks, paying
from hospital.models import Patient
from tests.billing.paying.scenes import hold_exam
from tests.billing.test_races import at_once, scan, sound
from tests.factories import NOW, PatientFactory, PoolFactory, open_schedule
from tests.factories.billing import pays_first

pytestmark = pytest.mark.django_db(transaction=True)
LATE = NOW + timedelta(minutes=30)


@pytest.fixture
def swept():
    """A number whose hold ran out and was swept while the phone still showed its code."""
    pays_first()
    schedule = open_schedule()
    patient = PatientFactory()
    row = booking.book(
        schedule=schedule, patient=patient, channel="consult", by=None, request_key=None, number=1, now=NOW
    )
    invoice = invoicing.open_for_booking(booking=row, by=None, now=NOW)
    payment = scan(invoice)
    other = {"channel": "counter", "by": None, "request_key": None, "number": 1, "now": LATE}
    changes.drop(appointment=booking.book(schedule=schedule, patient=PatientFactory(), **other), by=None, now=LATE)
    return payment


def test_a_number_is_booked_anew_once_by_whoever_hears_of_the_money_first(wechat, swept):
    payment, invoice = swept, swept.invoice
    said = wechat.pay(payment.order)
    at_once(*[lambda: paying.succeed(order=payment.order, said=said, now=LATE)] * 5,
            *[lambda: delivering.deliver(invoice=invoice.pk, by=None, now=LATE)] * 3)  # fmt: skip
    delivering.deliver(invoice=invoice.pk, by=None, now=LATE)
    line = invoice.lines.get()
    assert (line.status, line.appointment.status, Refund.objects.count()) == ("confirmed", "booked", 0)
    assert Appointment.objects.filter(patient=invoice.patient).exclude(status="cancelled").count() == 1
    sound()


def test_who_delivers_the_same_line_waits_without_a_lock_of_a_patient(wechat, swept):
    """Holding the patient and waiting for a slot is a deadlock: the two are taken the other way round
    where a number is booked anew."""
    paying._receive(order=swept.order, said=wechat.pay(swept.order), now=LATE, by=None, message=None)
    invoice = swept.invoice

    def second():
        try:
            return delivering.deliver(invoice=invoice.pk, by=None, now=LATE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            locks.delivery(invoice.lines.get().pk)
            waiting = other.submit(second)
            sleep(0.4)
            assert not waiting.done()
            assert Patient.objects.select_for_update(nowait=True).get(pk=invoice.patient_id)
        assert waiting.result(10).confirmed
    sound()


def test_an_exam_is_held_anew_once(wechat):
    pays_first()
    PoolFactory()
    basket = uuid4()
    hold_exam(PatientFactory(), basket=basket)
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    payment = scan(invoice)
    said = wechat.pay(payment.order)
    at_once(*[lambda: paying.succeed(order=payment.order, said=said, now=LATE)] * 5,
            *[lambda: delivering.deliver(invoice=invoice.pk, by=None, now=LATE)] * 3)  # fmt: skip
    delivering.deliver(invoice=invoice.pk, by=None, now=LATE)
    line = invoice.lines.get()
    assert (line.status, line.exam.status, Refund.objects.count()) == ("confirmed", "booked", 0)
    sound()
