"""The gateway of days gone by: it takes money, gives it back and writes its bill, without a process of its own."""

import random
from datetime import datetime
from decimal import Decimal

from billing.gateways import ports
from billing.gateways.fen import to_fen
from billing.policies.paying import Said
from billing.policies.splitting import rounded
from hospital import clock

FEE = Decimal("0.002")
"""Of what is paid, given back with what is refunded."""


class Past:
    def __init__(self, code: str, dice: random.Random):
        self.code, self.dice = code, dice
        self.orders: dict[str, dict] = {}
        self.refunds: dict[str, dict] = {}
        self.now: datetime | None = None
        self.shown: dict[str, datetime] = {}  # orders that its clock puts on another moment than ours

    def create(self, order: ports.Order) -> ports.Created:
        self.orders.setdefault(
            order.order,
            {"amount": order.amount, "state": ports.State.WAITING, "subject": order.subject, "reference": ""},
        )
        return ports.Created(qr=f"{self.code}://{order.order}")

    def pay(self, order: str, *, at: datetime) -> Said:
        """The payer's phone says yes."""
        row = self.orders[order]
        row.update(state=ports.State.DONE, at=self.shown.get(order, at), reference=self._number(at))
        return Said(row["amount"], row["reference"])

    def stranger(self, *, amount: Decimal, at: datetime) -> None:
        """Somebody pays with an old sign of the till: no order of ours."""
        number = f"TILL{self._number(at)[-10:]}"
        self.orders[number] = {"amount": amount, "state": ports.State.DONE, "subject": "", "at": at,
                               "reference": self._number(at)}  # fmt: skip

    def _number(self, at: datetime) -> str:
        return f"{'4200' if self.code == 'wechat' else '20'}{at:%Y%m%d}{self.dice.randrange(10**14):014d}"

    def query(self, order: str) -> ports.News:
        row = self.orders.get(order)
        if row is None:
            return ports.News(order, ports.State.UNKNOWN)
        return ports.News(order, row["state"], row["amount"], row["reference"])

    def close(self, order: str) -> None:
        if self.orders[order]["state"] == ports.State.DONE:
            raise ports.Refuses("ORDERPAID")
        self.orders[order]["state"] = ports.State.CLOSED

    def refund(self, order: str, *, refund: str, amount: Decimal, total: Decimal) -> ports.News:
        if refund not in self.refunds:
            self.refunds[refund] = {"of": order, "amount": amount, "at": self.now, "reference": self._number(self.now)}
        return self.query_refund(order, refund=refund)

    def query_refund(self, order: str, *, refund: str) -> ports.News:
        row = self.refunds.get(refund)
        if row is None:
            return ports.News(refund, ports.State.UNKNOWN)
        return ports.News(refund, ports.State.DONE, row["amount"], row["reference"])

    def bill(self, day):
        paid = ((number, row) for number, row in self.orders.items() if row["state"] == ports.State.DONE)
        for number, row in paid:
            if clock.today(row["at"]) == day:
                fee = rounded(row["amount"] * FEE)
                yield ports.BillLine("payment", number, row["reference"], row["amount"], fee, row["at"])
        for number, row in self.refunds.items():
            if clock.today(row["at"]) == day:
                fee = -rounded(row["amount"] * FEE)
                yield ports.BillLine("refund", number, row["reference"], row["amount"], fee, row["at"])

    def read(self, headers, body):
        raise ports.Forged

    def reply(self, *, received):
        return ports.Reply(200, "text/plain", "")

    def told(self) -> tuple[list[dict], list[dict]]:
        """What the demo's running gateway is to know: paid orders and refunds, in fen and seconds."""
        orders = [
            {"gateway": self.code, "number": number, "amount": to_fen(row["amount"]), "reference": row["reference"],
             "at": row["at"].timestamp(), "subject": row["subject"]}
            for number, row in self.orders.items() if row["state"] == ports.State.DONE
        ]  # fmt: skip
        refunds = [
            {"gateway": self.code, "number": number, "of": row["of"], "amount": to_fen(row["amount"]),
             "reference": row["reference"], "at": row["at"].timestamp()}
            for number, row in self.refunds.items()
        ]  # fmt: skip
        return orders, refunds
