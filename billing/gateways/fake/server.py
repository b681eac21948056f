"""The HTTP of the gateway: both protocols, the page to pay on, and /control for whoever holds its word."""

import hmac
import json
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from . import keys, pages
from .alipay import AlipaySide
from .notices import Sender
from .script import Script
from .till import Refused, Till
from .wechat import Asked, Said, WechatSide

LONGEST = 2**22
VERBS = {"native": "create", "h5": "create", "close": "close", "refunds": "refund", "tradebill": "bill"}
ALIPAY_VERBS = {"precreate": "create", "pay": "create", "close": "close", "refund": "refund"}


class Gateway:
    def __init__(self, folder: Path):
        self.keys = keys.of(folder)
        self.script = Script()
        self.till = Till(folder / "gateway/till.sqlite3", self.script)
        self.wechat, self.alipay = WechatSide(self.keys, self.till), AlipaySide(self.keys, self.till)
        self.sender = Sender(self.till, {"wechat": self.wechat.notice, "alipay": self.alipay.notice})
        self.address = ""

    def verb(self, asked: Asked) -> str:
        """What is wanted, in the script's words."""
        parts = urlsplit(asked.path)
        if parts.path == "/gateway.do":
            query = parse_qs(parts.query) | parse_qs(asked.body.decode(errors="replace"))
            return ALIPAY_VERBS.get(query.get("method", [""])[0].rpartition(".")[2], "query")
        verb = VERBS.get(parts.path.rpartition("/")[2], "query")
        return "query" if asked.method == "GET" and verb == "refund" else verb

    def answer(self, asked: Asked) -> Said | None:
        """None: the line is cut."""
        verb, script = self.verb(asked), self.script
        if script.down == "cut":
            return None
        if script.down == "error":
            return Said(503, {}, b"")
        said = self._deed(asked, verb)
        if script.callbacks == "first" and verb == "create" and said.status == 200:
            self._pays_at_once()
        time.sleep(script.slow.get(verb, 0))
        return None if script.down == "after" else said

    def _deed(self, asked: Asked, verb: str) -> Said:
        side = self.alipay if urlsplit(asked.path).path == "/gateway.do" else self.wechat
        if code := self.script.refuses.get(verb):
            return _refusing(side, code).answer(asked)
        return side.answer(asked)

    def _pays_at_once(self) -> None:
        row = self.till.latest(1)[0]
        if row["state"] == "NOTPAY":
            self.till.pay(row["gateway"], row["number"])
            self.sender.send_now(row["gateway"], row["number"])

    # ---- told ----

    def control(self, said: dict) -> dict:
        """One deed and its answer. Raises ValueError, KeyError, Refused."""
        deed = said.pop("deed")
        return getattr(self, f"_{deed}")(**said) or {}

    def _behave(self, **script) -> None:
        self.script.change(script)

    def _reset(self) -> None:
        self.till.clear()
        self.script.change(vars(Script()))

    def _pay(self, order: str) -> dict:
        row = self._find(order)
        return dict(self.till.pay(row["gateway"], order))

    def _release(self, backwards: bool = False) -> None:
        self.till.release(backwards=backwards)

    def _compose(self, order: str, refund: str = "", change: dict | None = None) -> dict:
        """The notice of an order as it would be sent now, signed; `change`: what it says otherwise."""
        asked = "SELECT * FROM notices WHERE number = ? AND refund = ? ORDER BY made DESC LIMIT 1"
        with self.till.lock:
            row = self.till.db.execute(asked, (order, refund)).fetchone()
        side = self.wechat if row["gateway"] == "wechat" else self.alipay
        headers, body = side.notice(row, **(change or {}))
        return {"headers": headers, "body": body.decode()}

    def _finish(self, refund: str, state: str = "SUCCESS") -> None:
        with self.till.lock:
            [row] = self.till.db.execute("SELECT gateway FROM refunds WHERE number = ?", (refund,)).fetchall()
        self.till.finish(row["gateway"], refund, state=state)

    def _find(self, order: str):
        with self.till.lock:
            [row] = self.till.db.execute("SELECT * FROM orders WHERE number = ?", (order,)).fetchall()
        return row

    def _state(self) -> dict:
        with self.till.lock:
            read = {name: f"SELECT * FROM {name} ORDER BY rowid" for name in ("orders", "refunds", "notices")}
            return {name: [dict(row) for row in self.till.db.execute(asked)] for name, asked in read.items()}

    def _bring(self, orders: list[dict], refunds: list[dict] = ()) -> None:
        """What was paid and given back in the past: the demo's month. Nobody is told."""
        made = [
            (row["gateway"], row["number"], row["amount"], row.get("subject", ""), "", "", f"past-{row['number']}",
             "SUCCESS", row["reference"], row["at"], row["at"], row["at"])
            for row in orders
        ]  # fmt: skip
        back = [
            (
                row["gateway"],
                row["number"],
                row["of"],
                row["amount"],
                "SUCCESS",
                row["reference"],
                "",
                row["at"],
                row["at"],
            )
            for row in refunds
        ]
        with self.till.writing() as db:
            db.executemany(f"INSERT OR IGNORE INTO orders VALUES ({', '.join('?' * 12)})", made)
            db.executemany(f"INSERT OR IGNORE INTO refunds VALUES ({', '.join('?' * 9)})", back)

    # ---- the payer ----

    def page(self, method: str, path: str) -> Said:
        html = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
        parts = urlsplit(path)
        if parts.path == "/style.css":
            return Said(200, {"Content-Type": "text/css"}, pages.STYLE.encode())
        if parts.path == "/":
            return Said(200, html, pages.listed(self.till.latest()))
        if parts.path.startswith("/alipay-bill/"):
            _empty, _bill, day, word = parts.path.split("/")
            known = hmac.compare_digest(word, f"{self.keys.control[:12]}.csv.zip")
            return self.alipay.download(date.fromisoformat(day)) if known else Said(404, {}, b"")
        row = self.till.of_page(parts.path.removeprefix("/pay/").strip("/"))
        if row is None:
            return Said(404, html, "没有这笔订单。".encode())
        refused = ""
        if method == "POST":
            try:
                row = self.till.pay(row["gateway"], row["number"])
            except Refused:
                row = self.till.order(row["gateway"], row["number"])
                refused = "这笔订单已经支付或已关闭，没有再次扣款。"
        back = row["back"] or parse_qs(parts.query).get("redirect_url", [""])[0]
        return Said(200, html, pages.pay(row, back=back, refused=refused))


def _refusing(side, code: str):
    """The same side, whose every deed is refused: signed like any other answer."""

    def no(*_asked):
        raise Refused(code)

    other = type(side)(side.keys, side.till)
    if isinstance(other, WechatSide):
        other.routes = [(method, route, no) for method, route, _deed in other.routes]
    else:
        other.deeds = dict.fromkeys(other.deeds, no)
    return other


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_GET(self):
        self._do(b"")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST:
            self._say(Said(413, {}, b""))
            return
        self._do(self.rfile.read(length))

    def _do(self, body: bytes) -> None:
        path = urlsplit(self.path).path
        try:
            if path == "/control":
                said = self._controlled(body)
            elif path.startswith("/v3/") or path == "/gateway.do":
                said = self.gateway.answer(Asked(self.command, self.path, self.headers, body, self.gateway.address))
            else:
                said = self.gateway.page(self.command, self.path)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = Said(400, {}, type(error).__name__.encode())
        if said is None:
            self.close_connection = True
            self.connection.close()
            return
        self._say(said)

    def _controlled(self, body: bytes) -> Said:
        if not hmac.compare_digest(self.headers.get("X-Control", ""), self.gateway.keys.control):
            return Said(403, {}, b"")
        try:
            said = self.gateway.control(json.loads(body))
        except Refused as refused:
            return Said(409, {}, refused.code.encode())
        return Said(200, {"Content-Type": "application/json"}, json.dumps(said).encode())

    def _say(self, said: Said) -> None:
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.status != 204:
            self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, *_words):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A cut line is the script's or the client's doing."""


def serve(folder: Path, *, host: str, port: int, shown: str, callback: str) -> None:
    """Until it is killed. Writes the merchants' file and control.json when it listens."""
    gateway = Gateway(folder)
    handler = type("Bound", (Handler,), {"gateway": gateway})
    with Server((host, port), handler) as server:
        gateway.address = f"http://{shown}:{server.server_port}"
        keys.hand_out(gateway.keys, address=gateway.address, callback=callback)
        note = {"url": f"{gateway.address}/control", "word": gateway.keys.control}
        keys.write(folder / "gateway/control.json", json.dumps(note).encode())
        print(gateway.address, flush=True)  # noqa: T201  for whoever started it
        server.serve_forever()
