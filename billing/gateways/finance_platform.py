"""财政电子票据平台: gives e-invoices and receipts their numbers, and writes them off (冲红).

One JSON call each: {appid, data, noise, version, sign}. `data` is base64 of the request, `sign` HMAC-SHA256 with the
account's key over the four fields in that order; answers are signed in the same way. busNo is our Receipt.request, so
asking again is the same act. The payer's name goes there, because an e-invoice is made out to somebody; it is kept
nowhere else by this adapter.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from secrets import token_hex

from hospital import clock

from .lines import ask
from .ports import Away, Numbered, Paper, Refuses

SECONDS = 6.0
DONE = "S0000"
FIELDS = ("appid", "data", "noise", "version")


@dataclass(frozen=True)
class Account:
    """Of a house at the platform. `url` up to the deed's name."""

    url: str
    app: str
    key: str


class FinancePlatform:
    code = "finance"

    def __init__(self, account: Account):
        self.account = account

    def issue(self, paper: Paper) -> Numbered:
        """Raises Away, Refuses."""
        said = self._ask(
            "invoiceEBillOutpatient",
            {
                "busNo": paper.request,
                "billType": paper.kind,
                "payer": paper.payer,
                "busDateTime": f"{paper.at.astimezone(clock.ZONE):%Y%m%d%H%M%S}",
                "totalAmt": str(paper.total),
                "fundPay": str(paper.fund),
                "accountPay": str(paper.account),
                "ownPay": str(paper.cash),
                "chargeDetail": [
                    {
                        "chargeName": each["name"],
                        "std": each["price"],
                        "number": each["quantity"],
                        "amt": each["amount"],
                    }
                    for each in paper.lines
                ],
            },
        )
        try:
            return Numbered(str(said["billBatchCode"])[:20], str(said["billNo"])[:20], str(said["random"])[:20])
        except KeyError:
            raise Away from None

    def void(self, *, request: str, code: str, number: str, why: str) -> str:
        """Raises Away, Refuses."""
        said = self._ask("writeOffEBill", {"busNo": request, "billBatchCode": code, "billNo": number, "reason": why})
        try:
            return str(said["eScarletBillNo"])[:20]
        except KeyError:
            raise Away from None

    def _ask(self, deed: str, said: dict) -> dict:
        fields = {
            "appid": self.account.app,
            "data": base64.b64encode(json.dumps(said, ensure_ascii=False).encode()).decode(),
            "noise": token_hex(8),
            "version": "1.0",
        }
        body = json.dumps({**fields, "sign": self._sign(fields)}).encode()
        answer = ask(
            "POST",
            f"{self.account.url.rstrip('/')}/{deed}",
            headers={"Content-Type": "application/json"},
            body=body,
            seconds=SECONDS,
        )
        if answer.status != 200:
            raise Away
        return self._read(answer.body)

    def _read(self, body: bytes) -> dict:
        """An answer that is not signed with our key says nothing."""
        try:
            fields = json.loads(body)
            if not hmac.compare_digest(self._sign(fields), str(fields["sign"])):
                raise Away
            said = json.loads(base64.b64decode(fields["data"]))
            result, message = str(said["result"]), said["message"]
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise Away from None
        if result != DONE:
            raise Refuses(result[:40])
        return message

    def _sign(self, fields: dict) -> str:
        text = "&".join(f"{name}={fields[name]}" for name in FIELDS)
        return hmac.new(self.account.key.encode(), text.encode(), hashlib.sha256).hexdigest()
