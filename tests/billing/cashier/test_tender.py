"""M2: what lies on the counter, without a database."""

from decimal import Decimal as Yuan

import pytest

from billing.errors import NotEnough, NothingLeftForSlip, TooMuch, WhichAmount
from billing.policies.window import Slip, Tender, tender


def lay(owed, *, cash=None, bank=None, cheque=None, scan=False):
    """`bank`, `cheque`: an amount, or "rest"."""
    slips = [
        Slip(means, f"{means}-1", None if amount == "rest" else Yuan(amount))
        for means, amount in (("bank", bank), ("cheque", cheque))
        if amount is not None
    ]
    return tender(Yuan(owed), cash=None if cash is None else Yuan(cash), slips=slips, scan=scan)


@pytest.mark.parametrize(
    ("owed", "laid", "parts", "change", "by_code"),
    [
        ("50", {}, [("cash", "50")], "0", "0"),  # Enter alone: the exact sum
        ("50", {"cash": "100"}, [("cash", "50")], "50", "0"),
        ("50", {"bank": "rest"}, [("bank", "50")], "0", "0"),
        ("50", {"bank": "30", "cash": "50"}, [("bank", "30"), ("cash", "20")], "30", "0"),
        ("50", {"bank": "rest", "cash": "20"}, [("bank", "30"), ("cash", "20")], "0", "0"),
        ("50", {"bank": "10", "cheque": "rest", "cash": "20"}, [("bank", "10"), ("cheque", "20"), ("cash", "20")],
         "0", "0"),
        ("50", {"scan": True}, [], "0", "50"),
        ("50", {"scan": True, "cash": "20", "cheque": "10"}, [("cheque", "10"), ("cash", "20")], "0", "20"),
        ("0.01", {"cash": "1"}, [("cash", "0.01")], "0.99", "0"),
        ("50", {"bank": "50", "cash": "0"}, [("bank", "50")], "0", "0"),
    ],
)  # fmt: skip
def test_what_covers_the_bill_is_taken_and_only_cash_gives_change(owed, laid, parts, change, by_code):
    found = lay(owed, **laid)
    assert isinstance(found, Tender)
    assert [(part.means, part.amount) for part in found.parts] == [(means, Yuan(amount)) for means, amount in parts]
    assert (found.change, found.by_code) == (Yuan(change), Yuan(by_code))


@pytest.mark.parametrize(
    ("laid", "refusal"),
    [
        ({"cash": "49.99"}, NotEnough),
        ({"cash": "0"}, NotEnough),
        ({"bank": "20"}, NotEnough),
        ({"bank": "51"}, TooMuch),
        ({"bank": "30", "cheque": "30"}, TooMuch),
        ({"bank": "rest", "cash": "50"}, NothingLeftForSlip),
        ({"bank": "rest", "cheque": "rest"}, WhichAmount),
        ({"bank": "rest", "scan": True}, WhichAmount),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_missing(laid, refusal):
    assert isinstance(lay("50", **laid), refusal)
