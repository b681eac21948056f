"""The page on which a person pays, and the list of what waits. Plain HTML: it works in any phone."""

from html import escape
from urllib.parse import urlsplit

from .wechat import yuan

NAMES = {"wechat": "微信支付", "alipay": "支付宝"}
STATES = {"NOTPAY": "待支付", "SUCCESS": "支付成功", "CLOSED": "已关闭"}
STYLE = """
body { margin: 0; font: 18px/1.6 system-ui, "Noto Sans SC", sans-serif; color: #1a2b3c; background: #f3f5f7 }
main { max-width: 26rem; margin: 2rem auto; padding: 1.5rem; background: #fff; border-radius: 12px }
h1 { font-size: 1.2rem; margin: 0 0 .5rem } .sum { font-size: 2.4rem; margin: .5rem 0 1rem }
button, .back { display: block; width: 100%; box-sizing: border-box; min-height: 3rem; margin: 1rem 0 0; padding: .5rem;
  font: inherit; text-align: center; text-decoration: none; border: 1px solid #0a6b2d; border-radius: 8px }
button { color: #fff; background: #0a6b2d } .alipay button { background: #0b57b8; border-color: #0b57b8 }
.back { color: #1a2b3c; border-color: #8795a3 } .note { color: #54606c; font-size: 1rem }
table { width: 100%; border-collapse: collapse } td, th { text-align: left; padding: .4rem; white-space: nowrap }
td:nth-child(2) { white-space: normal } .list main { max-width: 44rem }
"""


def _page(title: str, body: str, *, kind: str = "") -> bytes:
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/style.css">'
        f'<body class="{kind}"><main>{body}</main></body></html>'
    ).encode()


def pay(row, *, back: str, refused: str = "") -> bytes:
    """`back`: the merchant's address to return to; only an http(s) one is made a link."""
    name = NAMES[row["gateway"]]
    returns = ""
    if urlsplit(back).scheme in ("http", "https"):
        returns = f'<a class="back" href="{escape(back, quote=True)}">返回商家</a>'
    said = f'<p role="status">{escape(refused)}</p>' if refused else ""
    if row["state"] == "NOTPAY":
        deed = '<form method="post"><button>确认支付</button></form>'
    else:
        deed = f'<p role="status"><strong>{STATES[row["state"]]}</strong></p>'
    body = (
        f"<h1>{name}（模拟）</h1><p>{escape(row['subject'])}</p><p class=sum>¥{yuan(row['amount'])}</p>"
        f"{said}{deed}{returns}"
        "<p class=note>这是演示用的模拟支付页，不会真的扣款。</p>"
    )
    return _page(f"{name}（模拟）", body, kind=row["gateway"])


def listed(rows) -> bytes:
    cells = "".join(
        f"<tr><td>{NAMES[row['gateway']]}<td>{escape(row['subject'])}<td>¥{yuan(row['amount'])}"
        + (
            f'<td><a href="/pay/{row["page"]}/">去支付</a>'
            if row["state"] == "NOTPAY"
            else f"<td>{STATES[row['state']]}"
        )
        for row in rows
    )
    table = f"<table><tr><th>渠道<th>商家<th>金额<th>状态{cells}</table>" if cells else "<p>还没有订单。</p>"
    return _page(
        "模拟支付网关", f"<h1>模拟支付网关</h1><p class=note>代替扫码：点开一笔，确认支付。</p>{table}", kind="list"
    )
