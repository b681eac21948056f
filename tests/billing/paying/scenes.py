"""A number and an exam that are held, their invoice, a scan, and what comes of it."""

from datetime import timedelta
from uuid import uuid4

from appointments import invariants
from appointments.services import booking
from billing.gateways import ports
from billing.models import Invoice, Payment
from billing.selectors.ledger import trial_balance
from billing.services import invoicing, paying
from exams.services import booking as exam_booking
from hospital import outbox
from tests.factories import NOW, TODAY, ExamRequestFactory, OrganizationFactory, exam_variant, open_device

SOON = NOW + timedelta(minutes=1)
LATE = NOW + timedelta(minutes=30)


def hold(schedule, patient, *, basket=None, number=1, channel="web"):
    return booking.book(
        schedule=schedule, patient=patient, channel=channel, by=None, request_key=None, number=number,
        basket=basket or uuid4(), now=NOW,
    )  # fmt: skip


def hold_exam(patient, *, basket):
    variant = exam_variant()
    request = ExamRequestFactory(patient=patient, variant=variant)
    device = open_device(variant, days=(2,))
    start = device.sessions.get().during.lower
    return exam_booking.hold_one(
        request=request, device=device, start=start, channel="consult", by=None, basket=basket, now=NOW
    )


def invoice_of(row) -> Invoice:
    return invoicing.open_for_booking(booking=row, by=None, now=NOW)


def scan(invoice, *, now=NOW, **more) -> Payment:
    return paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=now, **more)


def facts(now=SOON):
    outbox.fan_out(now=now)
    while outbox.deliver(now=now):
        pass


def sound():
    assert invariants.violations(now=NOW) == []
    rows = trial_balance(organization_id=OrganizationFactory().pk, first=TODAY)
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)


def notice(payment, said, *, message="m1", kind="payment"):
    news = ports.News(payment.order, ports.State.DONE, said.amount, said.reference)
    house = payment.organization_id
    return {"gateway": "wechat", "organization": house, "notice": ports.Notice(message, kind, news), "digest": "d" * 64}


def killed(**_kwargs):
    raise KeyboardInterrupt
