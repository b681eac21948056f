"""金额大写: yuan in the capital numerals of receipts, which can't be altered by a stroke. Pure.

By 支付结算办法, appendix 1: 整 after yuan and jiao, 零 for a gap, nothing for a missing fen.
"""

from decimal import Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿")


def capitals(amount: Decimal) -> str:
    """¥1,680.32 → 壹仟陆佰捌拾元叁角贰分. Below 10¹²; not negative."""
    fen = int(amount.scaleb(2).to_integral_value())
    yuan, rest = divmod(fen, 100)
    jiao, left = divmod(rest, 10)
    said = f"{_whole(yuan)}元" if yuan else ""
    if not rest:
        return f"{said or '零元'}整"
    if jiao:
        said += ("零" if yuan and yuan % 10 == 0 else "") + f"{DIGITS[jiao]}角"
    elif yuan:
        said += "零"
    return said + (f"{DIGITS[left]}分" if left else "整")


def _whole(yuan: int) -> str:
    said, gap = "", False
    for group in range(len(GROUPS) - 1, -1, -1):
        part = yuan // 10_000**group % 10_000
        if not part:
            gap = gap or bool(said)
            continue
        if said and (gap or part < 1000):
            said += "零"
        said, gap = said + _thousands(part) + GROUPS[group], False
    return said


def _thousands(part: int) -> str:
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = part // 10**place % 10
        if not digit:
            gap = gap or bool(said)
            continue
        said += ("零" if gap else "") + DIGITS[digit] + PLACES[place]
        gap = False
    return said
