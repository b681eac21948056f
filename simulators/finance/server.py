"""POST /api/<deed> with {appid, data, noise, version, sign}: data is base64 of JSON, signed with the key both ways.

POST /control scripts it: {"away": 2} gives no answer twice, {"lost": 1} does what is asked and loses the answer,
{"refuse": "E1001"} refuses the next one, {"slow": 3} waits so many seconds before each answer.
"""

import base64
import hashlib
import hmac
import json
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Lock

from .book import Book, No

LONGEST = 2**20


def sign(fields: dict, key: str) -> str:
    text = "&".join(f"{name}={fields[name]}" for name in ("appid", "data", "noise", "version"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, *, book: Book, app: str, key: str):
        super().__init__(address, Handler)
        self.book, self.app, self.key, self.lock = book, app, key, Lock()
        self.script: dict = {}
        self.seen: list[tuple[str, str]] = []  # (deed, busNo) as they came


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LONGEST))
        try:
            given = json.loads(body)
        except ValueError:
            return self._say(400, {})
        if self.path == "/control":
            self.server.script |= given
            return self._say(200, {})
        if not self.path.startswith("/api/"):
            return self._say(404, {})
        return self._deed(self.path.removeprefix("/api/"), given)

    def do_GET(self):
        self._say(200 if self.path == "/healthz" else 404, {})

    def _deed(self, deed: str, given: dict) -> None:
        server = self.server
        time.sleep(float(server.script.get("slow", 0)))
        if given.get("appid") != server.app or not self._is_signed(given):
            return self._answer({"result": "E0401", "message": {}})
        if self._spend("away"):
            return self._cut()
        said = json.loads(base64.b64decode(given["data"]))
        with server.lock:
            server.seen.append((deed, str(said.get("busNo"))))
            code = server.script.pop("refuse", "")
            try:
                answer = {"result": code, "message": {}} if code else self._done(deed, said)
            except No as no:
                answer = {"result": no.code, "message": {}}
        if self._spend("lost"):
            return self._cut()
        return self._answer(answer)

    def _cut(self) -> None:
        """The line breaks: the other side hears it at once."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _done(self, deed: str, said: dict) -> dict:
        return {"result": "S0000", "message": self.server.book.do(deed, said)}

    def _is_signed(self, given: dict) -> bool:
        try:
            return hmac.compare_digest(sign(given, self.server.key), str(given["sign"]))
        except KeyError:
            return False

    def _spend(self, name: str) -> bool:
        left = int(self.server.script.get(name, 0))
        if left:
            self.server.script[name] = left - 1
        return bool(left)

    def _answer(self, said: dict) -> None:
        data = base64.b64encode(json.dumps(said, ensure_ascii=False).encode()).decode()
        fields = {"appid": self.server.app, "data": data, "noise": token_hex(8), "version": "1.0"}
        self._say(200, {**fields, "sign": sign(fields, self.server.key)})

    def _say(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args):
        """Nothing about anybody goes to a log."""
