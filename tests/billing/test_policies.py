"""M4–M6, M8: the money's rules as tables, without a database."""

from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal as Yuan
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.errors import AmountWrong, CreditOverdue, CreditUsedUp, InvoiceOver, NoCredit, NothingToPay
from billing.gateways.fen import to_fen, to_yuan
from billing.models import CashierShift, ChargeItem, Invoice, Payment, Refund
from billing.models.states import moves_held
from billing.policies import accounts, charging, credit, delivering, insurance, paying, returning, shifts, splitting
from billing.policies.splitting import Priced, Split, estimate, shared
from billing.policies.unwinding import ORDER, Held, Part, over_lines, unwind
from hospital import clock
from tests.factories import NOW, TODAY

FEN = st.integers(min_value=0, max_value=10**7).map(lambda fen: Yuan(fen) / 100)
PERCENT = st.integers(min_value=0, max_value=10_000).map(lambda each: Yuan(each) / 100)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("0.01", "1 1 1", "0.01 0 0"),  # a three-way split of one fen
        ("0.02", "1 1 1", "0.01 0.01 0"),
        ("100", "1 1 1", "33.34 33.33 33.33"),
        ("10", "1 2", "3.33 6.67"),
        ("0", "1 1", "0 0"),
        ("5", "0 0", "5 0"),
        ("5", "", ""),
    ],
)
def test_an_amount_is_shared_to_the_fen(amount, weights, parts):
    assert shared(Yuan(amount), [Yuan(each) for each in weights.split()]) == [Yuan(each) for each in parts.split()]


@settings(max_examples=30, deadline=None)
@given(FEN, st.lists(FEN, min_size=1, max_size=6))
def test_the_parts_are_the_whole(amount, weights):
    parts = shared(amount, weights)
    assert sum(parts) == amount
    assert all(part >= 0 and to_yuan(to_fen(part)) == part for part in parts)


A, B, C = (lambda amount: Priced(Yuan(amount), "A")), (lambda amount: Priced(Yuan(amount), "B", Yuan(10))), (
    lambda amount: Priced(Yuan(amount))
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "rule", "fund", "account", "cash"),
    [
        ([A("100")], {"fund_percent": 70}, "70", "0", "30"),
        ([A("100")], {"fund_percent": 70, "account_balance": "20"}, "70", "20", "10"),
        ([A("100")], {"fund_percent": 70, "account_balance": "500"}, "70", "30", "0"),
        ([B("100")], {"fund_percent": 50}, "45", "0", "55"),
        ([C("100")], {"fund_percent": 70}, "0", "0", "100"),
        ([A("100"), C("1")], {"fund_percent": 70, "deductible_left": "50"}, "35", "0", "66"),
        ([A("100")], {"fund_percent": 70, "deductible_left": "300"}, "0", "0", "100"),
        ([A("100")], {"fund_percent": 70, "cap_left": "12.34"}, "12.34", "0", "87.66"),
        ([A("100")], {"fund_percent": 70, "cap_left": "-1"}, "0", "0", "100"),
        ([A("0.01")], {"fund_percent": 50}, "0.01", "0", "0"),  # half a fen up
        ([A("0.01")], {"fund_percent": "49.99"}, "0", "0", "0.01"),
        ([], {"fund_percent": 70, "account_balance": "5"}, "0", "0", "0"),  # 0 yuan
    ],
)
def test_who_bears_a_bill(lines, rule, fund, account, cash):
    """M5."""
    split = estimate(lines, **{name: Yuan(value) for name, value in rule.items()})
    assert split == Split(Yuan(fund), Yuan(account), Yuan(cash))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.builds(Priced, FEN, st.sampled_from("ABC"), PERCENT), max_size=6), PERCENT, FEN, FEN, FEN)
def test_fund_account_and_cash_are_the_total(lines, percent, deductible, cap, balance):
    split = estimate(
        lines, fund_percent=percent, deductible_left=deductible, cap_left=cap, account_balance=balance
    )  # fmt: skip
    assert split.total == sum(line.amount for line in lines)
    assert min(split.fund, split.account, split.cash) >= 0
    assert split.fund <= cap
    assert split.account <= balance


def held(*rows):
    return [
        Held(n, means, Yuan(left), NOW + timedelta(minutes=minute)) for n, (means, left, minute) in enumerate(rows, 1)
    ]


@pytest.mark.parametrize(
    ("amount", "rows", "parts"),
    [
        ("30", [("cash", "20", 0), ("wechat", "10", 1)], [(2, "10"), (1, "20")]),
        ("5", [("cash", "20", 0), ("wechat", "10", 1)], [(2, "5")]),
        ("15", [("wechat", "10", 0), ("wechat", "10", 1)], [(2, "10"), (1, "5")]),  # the latest first
        ("6", [(means, "1", 0) for means in reversed(ORDER)], [(n, "1") for n in range(6, 0, -1)]),
        ("9", [("bank", "4", 0)], [(1, "4")]),  # never more than is there
        ("9", [("bank", "0", 0)], []),
        ("0", [("bank", "4", 0)], []),
    ],
)
def test_mixed_payments_are_unwound_in_a_fixed_order(amount, rows, parts):
    """M6."""
    found = unwind(Yuan(amount), held(*rows))
    assert [(part.payment, part.amount) for part in found] == [(n, Yuan(each)) for n, each in parts]


def test_a_part_is_spread_over_the_lines_it_is_for():
    lines = [(1, Yuan(4)), (2, Yuan(5))]
    assert over_lines(Part(1, "cash", Yuan(6)), lines) == [(1, Yuan(4)), (2, Yuan(2))]
    assert over_lines(Part(2, "cash", Yuan(5)), lines) == [(2, Yuan(3)), (None, Yuan(2))]


@pytest.mark.parametrize(
    ("status", "amount", "currency", "verdict"),
    [
        ("pending", "20.00", "CNY", "taken"),
        ("failed", "20.00", "CNY", "taken"),  # the money is there, however late
        ("closed", "20.00", "CNY", "taken"),
        ("succeeded", "20.00", "CNY", "again"),
        ("pending", "20.01", "CNY", "amount"),
        ("succeeded", "20.01", "CNY", "amount"),
        ("pending", "20.00", "USD", "currency"),
        (None, "20.00", "CNY", "unknown"),
    ],
)
def test_what_news_of_a_payment_are_worth(status, amount, currency, verdict):
    """M8."""
    payment = status and Payment(status=status, amount=Yuan(20))
    assert paying.verdict(payment, paying.Said(Yuan(amount), "T", currency)) == verdict


@pytest.mark.parametrize(
    ("amount", "owed", "applied"), [("20", "20", "20"), ("20", "5", "5"), ("20", "0", "0"), ("20", "-3", "0")]
)
def test_what_of_a_payment_serves_its_invoice(amount, owed, applied):
    assert paying.applied(Yuan(amount), owed=Yuan(owed)) == Yuan(applied)


@pytest.mark.parametrize(
    ("status", "owed", "amount", "refusal"),
    [
        ("open", "20", "20", None),
        ("owed", "20", "5", None),
        ("open", "20", "20.01", AmountWrong),
        ("open", "20", "0", AmountWrong),
        ("paid", "0", "0", NothingToPay),
        ("void", "0", "1", InvoiceOver),
        ("refunded", "5", "5", InvoiceOver),
    ],
)
def test_what_may_be_begun(status, owed, amount, refusal):
    found = paying.refusal_to_begin(status, owed=Yuan(owed), amount=Yuan(amount), means="wechat")
    assert type(found) is (refusal or type(None))


@pytest.mark.parametrize(
    ("live", "owed", "received", "on_credit", "status"),
    [
        (1, "5", False, False, "open"),
        (1, "5", True, False, "open"),
        (1, "5", False, True, "owed"),
        (1, "0", True, True, "paid"),
        (0, "0", True, False, "refunded"),
        (0, "-5", True, False, "refunded"),
        (0, "0", False, True, "void"),
    ],
)
def test_what_an_invoice_is(live, owed, received, on_credit, status):
    found = paying.standing(live=live, owed=Yuan(owed), received=received, on_credit=on_credit)
    assert found == status


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (("10", "7", "1", "2"), True),
        (("10", "7", "1", "1.99"), False),
        (("9.99", "7", "1", "1.99"), False),  # adds up, to another sum
        (("10", "11", "1", "-2"), False),  # nobody is paid for being ill
        (("10", "7", "1", None), False),
    ],
)
def test_an_answer_of_the_insurance_adds_up_to_the_fen_or_is_none(said, fits):
    found = insurance.split_of(*[part and Yuan(part) for part in said], asked=Yuan(10))
    assert found == (Split(Yuan(7), Yuan(1), Yuan(2)) if fits else None)


@pytest.mark.parametrize(
    ("owed", "more", "overdue", "refusal"),
    [
        ("0", "1000", False, None),  # the limit included
        ("0", "1000.01", False, CreditUsedUp),
        ("990", "10", False, None),
        ("990", "10.01", False, CreditUsedUp),
        ("0", "1", True, CreditOverdue),
    ],
)
def test_credit_is_up_to_a_limit_and_not_for_who_is_late(owed, more, overdue, refusal):
    """M4: 1,000 yuan, 10 days."""
    agreed = credit.Credit(limit=Yuan(1000), days=10)
    found = credit.refusal(agreed, owed=Yuan(owed), more=Yuan(more), overdue=overdue)
    assert type(found) is (refusal or type(None))
    assert type(credit.refusal(None, owed=Yuan(0), more=Yuan(1), overdue=False)) is NoCredit
    assert credit.due(agreed.days, now=NOW) == clock.at(TODAY + timedelta(days=10), time(23, 59))


@dataclass
class Booking:
    status: str
    note: str = ""
    confirmed_at: object = None
    hold_until: object = None


@pytest.mark.parametrize(
    ("booking", "deed"),
    [
        (Booking("pending"), "confirm"),
        (Booking("booked"), "nothing"),
        (Booking("arrived"), "nothing"),
        (Booking("noshow"), "nothing"),
        (Booking("cancelled", "lapsed"), "book_anew"),
        (Booking("cancelled", "dropped"), "return"),
        (Booking("cancelled", "lapsed", NOW), "return"),
        (Booking("cancelled", "", NOW), "return"),
        (Booking("not_done", "x", NOW), "return"),
    ],
)
def test_what_becomes_of_a_booking_that_was_paid(booking, deed):
    assert delivering.deed(booking) == deed


BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("booking", "may", "gone", "gone_while_paying"),
    [
        (Booking("pending", hold_until=AFTER), True, False, False),
        (Booking("pending", hold_until=BEFORE), False, True, False),
        (Booking("booked"), True, False, False),
        (Booking("fulfilled"), True, False, False),
        (Booking("cancelled", "lapsed"), False, True, False),
        (Booking("cancelled", "dropped"), False, True, True),
        (Booking("noshow"), False, True, True),
    ],
)
def test_what_is_charged_and_what_leaves_the_invoice(booking, may, gone, gone_while_paying):
    assert charging.may_charge(booking, now=NOW) is may
    assert charging.is_gone(booking, underway=False, now=NOW) is gone
    assert charging.is_gone(booking, underway=True, now=NOW) is gone_while_paying
    assert charging.is_gone(None, underway=False, now=NOW) is False


@pytest.mark.parametrize(
    ("topic", "payload", "late_refund", "reason"),
    [
        ("appointment.cancelled", {}, False, "cancelled"),
        ("appointment.cancelled", {"late": True}, True, "cancelled"),
        ("appointment.cancelled", {"late": True}, False, None),
        ("appointment.cancelled", {"late": True, "hospital": True}, False, "stopped"),
        ("appointment.lapsed", {}, False, "lapsed"),
        ("exam.cancelled", {"hospital": True}, True, "stopped"),
        ("exam.not_done", {}, False, "not_done"),
    ],
)
def test_why_a_line_is_given_back(topic, payload, late_refund, reason):
    assert returning.reason_of(topic, payload, late_refund=late_refund) == reason


def test_the_price_of_today():
    prices = [
        SimpleNamespace(amount=1, effective_from=TODAY - timedelta(days=9), effective_to=TODAY - timedelta(days=1)),
        SimpleNamespace(amount=2, effective_from=TODAY, effective_to=TODAY),
        SimpleNamespace(amount=3, effective_from=TODAY + timedelta(days=1), effective_to=None),
    ]
    assert charging.price_of(prices, now=NOW).amount == 2
    assert charging.price_of(prices[:1], now=NOW) is charging.price_of(prices[2:], now=NOW) is None


@pytest.mark.parametrize("model", [Invoice, ChargeItem, Payment, Refund, CashierShift])
def test_states_are_all_named_and_the_database_holds_the_same_moves(model):
    assert set(model.MOVES) == set(model.Status)
    held_there = moves_held(model.MOVES).transitions
    assert {(str(a), str(b)) for a, after in model.MOVES.items() for b in after} == set(held_there)


def test_a_drawer_holds_its_change_and_what_was_taken():
    assert shifts.expected(Yuan(200), taken=Yuan(50), given_back=Yuan(20)) == Yuan(230)
    assert shifts.refusal_to_take("counted").code == "shift_not_open"


@pytest.mark.parametrize(
    "postings",
    [
        accounts.received("cash", Yuan(5)),
        accounts.earned("exam", Yuan(5)),
        accounts.earned_on_credit("exam", Yuan(5)),
        accounts.credit_paid(Yuan(5)),
        accounts.unearned("service", Yuan(5)),
        accounts.unearned_on_credit("appointment", Yuan(5)),
        accounts.promised_back(Yuan(5)),
        accounts.given_back("alipay", Yuan(5)),
        accounts.settled(Yuan(5), Yuan(2)),
        accounts.settlement_reversed(Yuan(5), Yuan(0)),
        accounts.drawer_counted(Yuan("-3.50")),
        accounts.drawer_counted(Yuan("3.50")),
        accounts.received_unowned("wechat", Yuan(0)),
    ],
)
def test_every_posting_balances_on_known_accounts(postings):
    debit, credit_ = accounts.sides(postings)
    assert debit == credit_
    assert all(each.account in accounts.ACCOUNTS and min(each.debit, each.credit) >= 0 for each in postings)


@pytest.mark.parametrize("wrong", ["0.001", "1.999"])
def test_there_is_nothing_below_a_fen(wrong):
    with pytest.raises(ValueError, match="fen"):
        to_fen(Yuan(wrong))
    assert splitting.rounded(Yuan("1.005")) == Yuan("1.01")
