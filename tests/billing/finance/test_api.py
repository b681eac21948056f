"""M1, O1: a program opens an invoice for a hold and pays it; another's is not found; other systems are told."""

import json

import pytest

from billing.models import Invoice, Payment
from billing.selectors import money_events
from billing.services import paying
from hospital.api import schema
from hospital.integration import webhooks
from hospital.models import Fact
from tests.api.conftest import Program, account, issue, patient, stopped_clock  # noqa: F401
from tests.booking.acts import take
from tests.factories import NOW, AccountFactory, PatientFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


@pytest.fixture
def held(schedule, patient, account):  # noqa: F811
    return take(schedule, patient, by=account, channel="app", confirmed=False)


@pytest.fixture
def program(account):  # noqa: F811
    return Program(issue(account, "book", "read"))


def test_a_program_opens_and_pays_what_its_account_booked(program, held, wechat):
    refused = program.post(f"/appointments/{held.pk}/confirm/")
    assert (refused.status_code, refused.json()["code"]) == (409, "must_pay")

    opened = program.post("/invoices/", {"appointment": held.pk}).json()
    assert (opened["status"], opened["owed"], opened["lines"][0]["appointment"]) == ("open", "20.00", held.pk)
    assert program.post("/invoices/", {"appointment": held.pk}).json()["id"] == opened["id"]

    begun = program.post(f"/invoices/{opened['id']}/pay/", {"means": "wechat"}, key="k1").json()
    again = program.post(f"/invoices/{opened['id']}/pay/", {"means": "wechat"}, key="k2").json()
    assert [each["status"] for each in begun["payments"]] == ["pending"]
    assert begun["payments"] == again["payments"]

    order = Payment.objects.get().order
    paying.succeed(order=order, said=wechat.pay(order), now=NOW)
    paid = program.get(f"/invoices/{opened['id']}/").json()
    assert (paid["status"], paid["owed"], paid["held"]) == ("paid", "0.00", "20.00")
    assert [line["status"] for line in paid["lines"]] == ["confirmed"]
    assert [row["id"] for row in program.rows("/invoices/", {"status": "paid"})] == [opened["id"]]
    assert program.post(f"/invoices/{opened['id']}/pay/", {"means": "wechat"}).json()["code"] == "nothing_to_pay"


def test_a_gateway_that_is_away_leaves_the_payment_to_be_asked_again(program, held, wechat):
    invoice = program.post("/invoices/", {"appointment": held.pk}).json()["id"]
    wechat.away = ["before"]
    begun = program.post(f"/invoices/{invoice}/pay/", {"means": "wechat"})
    assert begun.status_code == 200
    assert [each["qr"] for each in begun.json()["payments"]] == [""]
    assert program.post(f"/invoices/{invoice}/pay/", {"means": "wechat"}).json()["payments"][0]["qr"]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"means": "cash"}, "means"), ({"means": "wechat", "amount": "1"}, "amount"), ({}, "means"),
     ({"means": "wechat", "payer_ip": "here"}, "payer_ip")],
)  # fmt: skip
def test_what_does_not_fit_names_its_field(program, held, body, field):
    invoice = program.post("/invoices/", {"appointment": held.pk}).json()["id"]
    answer = program.post(f"/invoices/{invoice}/pay/", body)
    assert answer.status_code == 422
    assert field in answer.json()["fields"]


def test_anothers_invoice_is_not_found(program, held, wechat):
    invoice = program.post("/invoices/", {"appointment": held.pk}).json()["id"]
    stranger = AccountFactory()
    PatientFactory(account=stranger)
    other = Program(issue(stranger, "book"))
    assert other.get(f"/invoices/{invoice}/").status_code == 404
    assert other.post(f"/invoices/{invoice}/pay/", {"means": "wechat"}).status_code == 404
    assert other.post("/invoices/", {"appointment": held.pk}).status_code == 404
    assert other.rows("/invoices/") == []
    assert Program(issue(stranger, "read")).get(f"/invoices/{invoice}/").status_code == 403


def test_the_document_describes_it():
    paths = schema.document()["paths"]
    assert {"/api/v1/invoices/", "/api/v1/invoices/{id}/pay/"} <= set(paths)


def test_other_systems_hear_of_it_without_a_name(paid, wechat):
    payment = paid()
    assert set(money_events.TOPICS) <= set(webhooks.topics())
    fact = Fact.objects.get(topic="payment.succeeded")
    event = json.loads(webhooks.body_of(fact, organization="H1"))
    assert event["data"]["payment"]["order"] == payment.order
    assert event["data"]["held"] == "20.00"
    assert Invoice.objects.get().patient.name not in json.dumps(event, ensure_ascii=False)
