"""M5, M6: an invoice is settled with the insurance step by step; what it does not answer is found out, never twice."""

from datetime import timedelta
from decimal import Decimal as Yuan

import pytest

from appointments import invariants
from appointments.services import changes
from billing.errors import AlreadyPaid, InsuranceChanged, NoInsuranceDocument, NoInsuranceLink
from billing.gateways import ports
from billing.models import InsuranceStep, MoneyCase, Refund
from billing.policies.splitting import Split
from billing.selectors import insured as selectors
from billing.selectors.ledger import balance
from billing.services import insurance_choosing as choosing
from billing.services import invoicing, jobs, paying
from tests.factories import NOW, PatientFactory, StaffFactory

from .house import CARD, SOON, basket_of, facts, hold, insured, item, rules

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=2)
FORWARD = ["1101", "2201", "2203", "2204", "2206", "2207"]


@pytest.fixture
def house(insurance):
    """The one code of the demo's numbers is on the list in full: the fund bears 70 of 100."""
    rules(code="G")
    insurance.person(CARD, insured={"310": "1", "390": "1"}, balance="5.00")
    return insurance


def panel(invoice, now=NOW):
    invoice.refresh_from_db()
    return selectors.panel(invoice, where="phone", now=now)


def begin(invoice, now=NOW, **more):
    choosing.begin(invoice=invoice, way="phone", by=None, now=now, **more)
    return panel(invoice, now)


def agree(invoice, now=NOW):
    choosing.agree(invoice=invoice, seen=panel(invoice, now).split.cash, by=None, now=now)
    return panel(invoice, now)


def steps(invoice):
    rows = InsuranceStep.objects.filter(settlement__invoice=invoice).order_by("pk")
    return [(row.settlement.attempt, row.step, row.outcome) for row in rows]


def pay(invoice, gateway, now=NOW):
    payment = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=now)
    paying.succeed(order=payment.order, said=gateway.pay(payment.order), now=now)
    invoice.refresh_from_db()
    return payment


def settled_there(house) -> list[str]:
    """What stands in the insurance's own book."""
    return [row["setl_id"] for row in house.book.all("SELECT setl_id FROM settlement WHERE refd = 0")]


def sound():
    assert invariants.violations(now=NOW) == []


def test_the_split_is_shown_before_anything_is_settled_and_the_person_pays_their_part(house, wechat):
    rows, invoice = basket_of(insured())
    assert (panel(invoice).state, panel(invoice).means_open) == ("choose", False)
    assert panel(invoice).estimate == Split(Yuan("28.00"), Yuan("0.00"), Yuan("12.00"))

    shown = begin(invoice)
    assert (shown.state, shown.split) == ("agree", Split(Yuan("28.00"), Yuan("5.00"), Yuan("7.00")))
    assert (settled_there(house), invoice.fund_paid) == ([], 0)

    assert agree(invoice).state == "settled"
    assert (invoice.fund_paid, invoice.account_paid, invoice.cash_paid) == (28, 5, 7)
    assert [outcome for _attempt, _step, outcome in steps(invoice)] == ["done"] * 6
    assert pay(invoice, wechat).amount == Yuan("7.00")
    for row in rows:
        row.refresh_from_db()
        assert row.status == "booked"
    settlement = invoice.settlements.get()
    assert settled_there(house) == [settlement.number]
    said = str(list(InsuranceStep.objects.values_list("numbers", flat=True)))
    assert settlement.person not in said  # psn_no stays encrypted
    assert CARD not in said
    sound()


def test_who_pays_without_the_insurance_is_not_asked_for_it(house, wechat):
    _rows, invoice = basket_of(insured())
    choosing.decline(invoice=invoice, by=None, now=NOW)
    choosing.decline(invoice=invoice, by=None, now=NOW)
    assert (panel(invoice).state, panel(invoice).means_open, house.calls()) == ("declined", True, {})
    assert begin(invoice).state == "agree"
    choosing.decline(invoice=invoice, by=None, now=NOW)
    assert (panel(invoice).state, [step for _a, step, _o in steps(invoice)][-2:]) == ("declined", ["2205", "2202"])
    assert pay(invoice, wechat).amount == Yuan("40.00")
    with pytest.raises(AlreadyPaid):
        choosing.decline(invoice=invoice, by=None, now=NOW)
    with pytest.raises(AlreadyPaid):
        choosing.begin(invoice=invoice, way="phone", by=None, now=NOW)
    sound()


def test_a_settlement_is_taken_back_as_long_as_nothing_is_paid(house, wechat):
    _rows, invoice = basket_of(insured())
    begin(invoice), agree(invoice)
    choosing.decline(invoice=invoice, by=None, now=NOW)
    facts()
    assert (panel(invoice).state, settled_there(house), invoice.cash_paid) == ("declined", [], 40)
    assert [step for _a, step, _o in steps(invoice)] == [*FORWARD, "2208", "2205", "2202"]
    assert invoice.settlements.count() == 1  # nobody settles it anew
    assert pay(invoice, wechat).amount == Yuan("40.00")
    sound()


def test_a_code_for_the_sum_before_is_closed_before_somebody_scans_it(house, wechat):
    _rows, invoice = basket_of(insured())
    choosing.decline(invoice=invoice, by=None, now=NOW)
    stale = paying.begin(invoice=invoice, means="wechat", way="phone", by=None, now=NOW)
    begin(invoice), agree(invoice)
    jobs.catch_up(now=NOW)
    stale.refresh_from_db()
    assert (stale.status, wechat.orders[stale.order]["state"]) == ("closed", "closed")
    assert pay(invoice, wechat).amount == Yuan("7.00")


def test_what_stays_after_a_cancelled_line_is_settled_anew_by_itself(house, wechat):
    """M6: reversed first, the person's too much goes back when the insurance has said how much that is."""
    rows, invoice = basket_of(insured())
    begin(invoice), agree(invoice), pay(invoice, wechat)
    changes.cancel(appointment=rows[0], by=None, channel="web", now=SOON)
    facts(), jobs.catch_up(now=SOON), facts(), jobs.catch_up(now=SOON), jobs.catch_up(now=SOON)

    invoice.refresh_from_db()
    assert (invoice.total, invoice.fund_paid, invoice.account_paid, invoice.cash_paid) == (20, 14, 5, 1)
    assert (invoice.status, sum(row.amount for row in Refund.objects.all())) == ("paid", 6)
    assert [attempt for attempt, step, _o in steps(invoice) if step == "2207"] == [1, 2]
    assert settled_there(house) == [invoice.settlements.get(status="settled").number]
    assert (balance("wechat", invoice=invoice), balance("fund_due", invoice=invoice)) == (1, 14)
    sound()


def test_when_it_is_not_settled_anew_the_rest_is_owed_and_the_office_hears_of_it(house, wechat):
    rows, invoice = basket_of(insured())
    begin(invoice), agree(invoice), pay(invoice, wechat)
    house.behave("refuse", "2206", code="S9")
    changes.cancel(appointment=rows[0], by=None, channel="web", now=SOON)
    facts(), jobs.catch_up(now=SOON), facts(), jobs.catch_up(now=SOON)
    invoice.refresh_from_db()
    case = MoneyCase.objects.get()
    assert (invoice.status, invoice.cash_paid, case.kind) == ("owed", 20, "unsettled")
    sound()
    choosing.ask_again(settlement=invoice.settlements.get(status="failed"), by=StaffFactory(roles="finance"), now=SOON)
    jobs.catch_up(now=SOON)
    invoice.refresh_from_db(), case.refresh_from_db()
    assert (invoice.status, invoice.cash_paid, case.settled_at) == ("paid", 1, SOON)
    sound()


def test_a_line_that_comes_while_the_person_looks_is_asked_about_anew(house):
    rows, invoice = basket_of(insured())
    seen = begin(invoice).split.cash
    hold(invoice.patient, basket=rows[0].basket, day=12)
    invoicing.open_for_basket(basket=rows[0].basket, by=None, now=NOW)
    with pytest.raises(InsuranceChanged):
        choosing.agree(invoice=invoice, seen=seen, by=None, now=NOW)
    assert (panel(invoice).state, panel(invoice).split) == ("agree", Split(Yuan(42), Yuan(5), Yuan(13)))
    with pytest.raises(InsuranceChanged):
        choosing.agree(invoice=invoice, seen=Yuan("12.00"), by=None, now=NOW)
    assert agree(invoice).state == "settled"
    sound()


def test_what_was_looked_at_and_forgotten_is_taken_back(house):
    _rows, invoice = basket_of(insured())
    begin(invoice)
    later = NOW + timedelta(hours=1)
    jobs.catch_up(now=later)
    assert [step for _a, step, _o in steps(invoice)][-2:] == ["2205", "2202"]
    assert panel(invoice, later).state == "choose"


@pytest.mark.parametrize(
    ("insurance_kind", "states", "sentence"),
    [("resident", {"390": "1"}, ""), ("resident", {"310": "1", "390": "2"}, "居民医保"), ("employee", {}, "职工医保")],
)
def test_the_person_is_checked_by_kind(house, insurance_kind, states, sentence):
    house.person(CARD, insured=states)
    _rows, invoice = basket_of(insured(insurance=insurance_kind))
    shown = begin(invoice)
    if sentence:
        assert (shown.state, shown.means_open) == ("refused", True)
        assert sentence in shown.refusal
    else:
        assert shown.split == Split(Yuan("20.00"), Yuan("0.00"), Yuan("20.00"))


def test_without_a_link_a_document_or_insurance_there_is_nothing_to_choose(insurance):
    rules()
    _rows, invoice = basket_of(PatientFactory(insurance="employee"))
    with pytest.raises(NoInsuranceDocument):
        choosing.begin(invoice=invoice, way="phone", by=None, now=NOW)
    _rows, plain = basket_of(PatientFactory())
    assert (panel(plain).state, panel(plain).means_open) == ("none", True)
    ports.forget("insurance", "national")
    assert panel(invoice) is panel(plain) is None
    with pytest.raises(NoInsuranceLink):
        choosing.begin(invoice=invoice, way="phone", by=None, now=NOW)


# ---- to the fen ----


@pytest.mark.parametrize(
    ("price", "fund", "account", "cash"),
    [("0.01", "0.01", "0.00", "0.00"), ("0.02", "0.01", "0.01", "0.00"), ("0.05", "0.04", "0.01", "0.00")],
)
def test_a_fen_is_borne_by_one_of_the_three(house, price, fund, account, cash):
    """0.01 yuan at 70 %: half a fen up; the estimate says the same as the insurance."""
    house.person(CARD, insured={"310": "1"}, balance="0.01")
    _rows, invoice = basket_of(insured(), lines=1, price=price)
    assert panel(invoice).estimate.fund == Yuan(fund)
    assert begin(invoice).split == Split(Yuan(fund), Yuan(account), Yuan(cash))
    assert agree(invoice).state == "settled"
    assert invoice.status == "paid"  # nothing is left for the person: confirmed without a payment
    assert set(invoice.lines.values_list("status", flat=True)) == {"confirmed"}
    sound()


def test_an_invoice_of_nothing_is_no_matter_of_the_insurance(house):
    _rows, invoice = basket_of(insured(), lines=1, price="0.00")
    assert panel(invoice) is None


def test_class_b_bears_its_own_share_first_and_what_is_on_no_list_counts_for_nothing(house):
    item("B1", klass="B", own="10")
    patient = insured()
    basket = None
    for day, code in ((20, "B1"), (28, "X1")):
        row = hold(patient, day=day, basket=basket, price="33.33", code=code)
        basket = row.basket
    [invoice] = invoicing.open_for_basket(basket=basket, by=None, now=NOW)
    shown = begin(invoice, use_account=False)
    assert shown.estimate == shown.split == Split(Yuan("21.00"), Yuan("0.00"), Yuan("45.66"))
    agree(invoice)
    assert invoice.account_paid == 0
    sound()
