"""The HTTP of it: POST /fsi/api/<infno> with the interface's envelope, signed as its gateway wants it (x-tif-…).

`/_script` makes it behave badly for the next calls of a transaction; `/_person` says who is insured how. Neither exists
at the real one, and both answer this machine alone.
"""

import json
import time
from collections import defaultdict, deque
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from .book import Book
from .deeds import No, do
from .rules import person_number

SHANGHAI = timezone(timedelta(hours=8))
SKEW = 300  # seconds that a request's time may be off
MOST = 2**20  # bytes of a request
WAYS = ("slow", "late", "down", "fail_after", "twice", "refuse", "wrong_sum", "garbled")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], *, book: Book, paasid: str, token: str):
        super().__init__(address, Caller)
        self.book, self.paasid, self.token = book, paasid, token
        self.one_at_a_time = Lock()
        self.scripts: dict[str, deque] = defaultdict(deque)
        self.calls: dict[str, int] = defaultdict(int)
        self.stands_at: datetime | None = None

    def now(self) -> datetime:
        """The platform's clock: this machine's, until it was told where to stand (POST /_clock)."""
        return self.stands_at or datetime.now(SHANGHAI)

    def script_of(self, infno: str) -> dict:
        with self.one_at_a_time:
            self.calls[infno] += 1
            for name in (infno, "*"):
                if self.scripts[name]:
                    return self.scripts[name].popleft()
        return {}


class Caller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_):
        """Nothing: what is posted here is personal data."""

    def do_GET(self):
        if self.path == "/_calls" and self._is_here():
            return self._say(200, dict(self.server.calls))
        return self._say(200 if self.path == "/" else 404, {"insurance": "simulator"})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST:
            self.close_connection = True
            return self._say(413, {})
        try:
            said = json.loads(self.rfile.read(length) or b"null")
        except ValueError:
            return self._say(400, {"infcode": "-1", "err_msg": "[E0000]不是JSON"})
        if self.path in ("/_script", "/_person", "/_clock"):
            return self._control(said)
        infno = self.path.rpartition("/")[2]
        if not self.path.startswith("/fsi/api/") or not isinstance(said, dict) or said.get("infno") != infno:
            return self._say(404, {})
        if not self._signed():
            return self._say(401, {"infcode": "-1", "err_msg": "[A0001]签名不对"})
        return self._act(infno, said)

    def _act(self, infno: str, said: dict):
        script = self.server.script_of(infno)
        way = script.get("do", "")
        if way == "down":
            self.close_connection = True  # without a word
            return None
        if way == "slow":
            time.sleep(float(script.get("seconds", 3)))
        if way == "refuse":
            return self._say(200, self._envelope(said, error=No(script.get("code", "X9999"), "按脚本拒绝")))
        if way == "twice":  # its own proxy repeats the request: both reach the platform, both answers come down
            self._done(infno, said)
        answer = self._done(infno, said)
        if way == "late":
            time.sleep(float(script.get("seconds", 3)))
        if way == "fail_after":
            return self._say(script.get("status", 504), {})
        if way == "garbled":
            return self._write(200, json.dumps(answer).encode()[:-20])
        if way == "wrong_sum" and "setlinfo" in (answer.get("output") or {}):
            answer["output"]["setlinfo"] |= {"fund_pay_sumamt": "0.01"}
        body = json.dumps(answer, ensure_ascii=False).encode()
        return self._write(200, body * 2 if way == "twice" else body)

    def _done(self, infno: str, said: dict) -> dict:
        """Once by msgid. What was refused is not kept: asked again it may be better."""
        book, msgid = self.server.book, str(said.get("msgid", ""))
        with self.server.one_at_a_time:
            there = book.answered(msgid)
            if there is not None and there["infno"] == infno:
                return json.loads(there["body"])
            book.begin()
            try:
                output = do(book, infno, said.get("input") or {}, now=self.server.now())
                answer = self._envelope(said, output=output)
                if infno not in ("2206", "5203"):
                    book.keep_answer(msgid, infno, answer)
                book.commit()
            except No as refusal:
                book.undo()
                return self._envelope(said, error=refusal)
            except BaseException:
                book.undo()
                raise
            return answer

    def _signed(self) -> bool:
        stamp, nonce = self.headers.get("x-tif-timestamp", ""), self.headers.get("x-tif-nonce", "")
        if not stamp.isdecimal() or abs(int(stamp) - self.server.now().timestamp()) > SKEW or not nonce:
            return False
        wanted = sha256(f"{stamp}{self.server.token}{nonce}{stamp}".encode()).hexdigest()
        right = compare_digest(self.headers.get("x-tif-signature", ""), wanted)
        return right and self.headers.get("x-tif-paasid", "") == self.server.paasid

    # ---- control, of this machine only ----

    def _is_here(self) -> bool:
        return self.client_address[0] in ("127.0.0.1", "::1")

    def _control(self, said):
        if not self._is_here():
            return self._say(404, {})
        if self.path == "/_person":
            return self._person(said)
        if self.path == "/_clock":
            self.server.stands_at = datetime.fromtimestamp(said["at"], SHANGHAI)
            return self._say(200, {"at": said["at"]})
        if not isinstance(said, dict) or said.get("do") not in (*WAYS, "well"):
            return self._say(400, {"do": WAYS})
        with self.server.one_at_a_time:
            queue = self.server.scripts[str(said.get("infno", "*"))]
            queue.clear()
            if said["do"] != "well":
                queue.extend([said] * int(said.get("times", 1)))
        return self._say(200, {"kept": len(queue)})

    def _person(self, said: dict):
        """certno, insured {insutype: psn_insu_stas} (none: not insured), balc."""
        document = str(said["certno"])
        row = (person_number(document), document, str(said.get("balc", "0.00")), json.dumps(said.get("insured", {})))
        with self.server.one_at_a_time:
            self.server.book.write("INSERT OR REPLACE INTO person VALUES (?, ?, ?, ?)", *row)
        return self._say(200, {"psn_no": row[0]})

    def _say(self, status: int, body: dict):
        return self._write(status, json.dumps(body, ensure_ascii=False).encode())

    def _envelope(self, said: dict, *, output: dict | None = None, error: No | None = None) -> dict:
        now = self.server.now()
        return {
            "infcode": "-1" if error else "0",
            "inf_refmsgid": f"{now:%Y%m%d%H%M%S%f}",
            "refmsg_time": f"{now:%Y%m%d%H%M%S}",
            "respond_time": f"{now:%Y%m%d%H%M%S}",
            "err_msg": f"[{error.code}]{error.text}" if error else "",
            "output": output,
        }

    def _write(self, status: int, body: bytes):
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
