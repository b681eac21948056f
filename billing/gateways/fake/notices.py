"""Sends notices until somebody says that they arrived, in threads of its own."""

import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from urllib.parse import urlsplit

from .till import Till

Compose = Callable[[object], tuple[dict[str, str], bytes]]
SECONDS = 10
AT_ONCE = 4


def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Status 0: nobody answered."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=SECONDS)
    try:
        connection.request("POST", parts.path, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(1000)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


class Sender:
    """`compose` makes headers and body of a notice anew each time it is sent: signed by the clock of that moment."""

    def __init__(self, till: Till, compose: dict[str, Compose]):
        self.till, self.compose = till, compose
        self.crowd = ThreadPoolExecutor(AT_ONCE)
        self.under_way: set[str] = set()
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            with self.till.news:
                due = self._due()
                if not due:
                    self.till.news.wait(0.1)
                    continue
                self.under_way |= {row["id"] for row in due}
            for row in due:
                self.crowd.submit(self._send, row)

    def _due(self) -> list:
        asked = "SELECT * FROM notices WHERE state = 'waiting' AND due <= ? ORDER BY due LIMIT 50"
        rows = self.till.db.execute(asked, (time.time(),)).fetchall()
        return [row for row in rows if row["id"] not in self.under_way]

    def send_now(self, gateway: str, number: str) -> None:
        """The latest notice of an order, before anything else goes on."""
        with self.till.lock:
            asked = "SELECT * FROM notices WHERE gateway = ? AND number = ? ORDER BY made DESC LIMIT 1"
            row = self.till.db.execute(asked, (gateway, number)).fetchone()
            self.under_way.add(row["id"])
        self._send(row)

    def _send(self, row) -> None:
        """All copies at the same time; taken when one of them was."""
        try:
            with ThreadPoolExecutor(row["copies"]) as pair:
                taken = any(list(pair.map(lambda _copy: self._once(row), range(row["copies"]))))
        finally:
            with self.till.writing() as db:
                retries = self.till.script.retries
                if taken or row["tries"] >= len(retries):
                    said = ("taken" if taken else "given up", row["due"])
                else:
                    said = ("waiting", time.time() + retries[row["tries"]])
                more = "UPDATE notices SET state = ?, due = ?, tries = tries + 1 WHERE id = ?"
                db.execute(more, (*said, row["id"]))
                self.under_way.discard(row["id"])

    def _once(self, row) -> bool:
        headers, body = self.compose[row["gateway"]](row)
        status, said = post(row["url"], headers, body)
        return 200 <= status < 300 and (row["gateway"] != "alipay" or said == b"success")
