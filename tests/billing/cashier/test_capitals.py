"""M9: sums in the capital numerals of receipts, by 支付结算办法, appendix 1."""

from decimal import Decimal

import pytest

from billing.policies.capitals import capitals


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("0.00", "零元整"),
        ("0.01", "壹分"),
        ("0.50", "伍角整"),
        ("20.00", "贰拾元整"),
        ("100001.00", "壹拾万零壹元整"),
        ("100000000.00", "壹亿元整"),
    ],
)
def test_a_sum_is_said_as_the_rules_of_payment_say_it(amount, said):
    assert capitals(Decimal(amount)) == said
