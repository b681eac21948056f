"""What gateways tell us by callback (M8): each notice kept once by its id before it is acted on; what a dead worker
left waiting, the job acts on. The view verifies (ports.PaymentGateway.read) and hands the notice here, outside a
transaction.
"""

from datetime import datetime
from decimal import Decimal

from django.db.models import F

from billing.gateways.ports import News, Notice, State
from billing.models import GatewayMessage, MoneyCase, Refund, UnownedReturn
from billing.policies.paying import Said

from . import cases, paying, refunding, sending_back

Verdict = GatewayMessage.Verdict


def hear(*, gateway: str, organization: int, notice: Notice, digest: str, now: datetime) -> GatewayMessage:
    """Once with effect per notice to a house. `digest`: SHA-256 of the body as it came. Whatever the verdict on the
    row, the gateway is told that it arrived."""
    row, new = GatewayMessage.objects.get_or_create(
        gateway=gateway,
        organization_id=organization,
        message=notice.message[:64],
        defaults={
            "order": notice.news.order[:32],
            "kind": notice.kind,
            "body": {**notice.body, "news": _kept(notice.news)},
            "digest": digest,
            "received_at": now,
        },
    )
    if not new:
        GatewayMessage.objects.filter(pk=row.pk).update(times=F("times") + 1)
    if row.verdict == Verdict.WAITING:
        act(message=row, now=now)
    row.refresh_from_db()
    return row


def forged(*, gateway: str, organization: int, digest: str, now: datetime) -> None:
    """A body whose signature is wrong: its digest is kept and how often it came, nothing of what it says."""
    row, new = GatewayMessage.objects.get_or_create(
        gateway=gateway,
        organization_id=organization,
        message=f"forged:{digest[:40]}",
        defaults={"kind": "payment", "digest": digest, "verdict": Verdict.FORGED, "received_at": now},
    )
    if not new:
        GatewayMessage.objects.filter(pk=row.pk).update(times=F("times") + 1)


def act(*, message: GatewayMessage, now: datetime) -> None:
    """On a notice that was kept; again is the same."""
    news = _read(message.body["news"])
    if message.kind == "refund":
        _refund(message, news, now=now)
    elif news.state == State.DONE and news.amount is not None:
        paying.succeed(
            order=news.order, said=Said(news.amount, news.reference, news.currency), message=message, now=now
        )
    else:
        _judge(message, Verdict.IGNORED)


def _refund(message: GatewayMessage, news: News, *, now: datetime) -> None:
    ours = {"payment__gateway": message.gateway, "payment__organization": message.organization_id}
    refund = Refund.objects.filter(order=news.order, **ours).select_related("payment").first()
    if refund is None and _sent_back(message, news, now=now):
        return
    if refund is None:
        about = {"organization_id": message.organization_id, "amount": news.amount, "message": message}
        cases.keep(kind=MoneyCase.Kind.UNKNOWN, key=f"message:{message.pk}", now=now, **about)
        _judge(message, Verdict.UNKNOWN)
    elif news.amount is not None and news.amount != refund.amount:
        about = {"organization_id": refund.payment.organization_id, "refund": refund, "amount": news.amount}
        cases.keep(kind=MoneyCase.Kind.AMOUNT, key=f"message:{message.pk}", message=message, now=now, **about)
        _judge(message, Verdict.AMOUNT)
    else:
        again = refund.status == Refund.Status.DONE
        refunding.hear(refund=refund, news=news, now=now)
        _judge(message, Verdict.AGAIN if again else Verdict.TAKEN)


def _sent_back(message: GatewayMessage, news: News, *, now: datetime) -> bool:
    """Is it about money without an owner that we sent back?"""
    ours = {"gateway": message.gateway, "organization": message.organization_id}
    row = UnownedReturn.objects.filter(number=news.order, **ours).first()
    if row is None or (news.amount is not None and news.amount != row.amount):
        return False
    again = row.status == UnownedReturn.Status.DONE
    sending_back.hear(row=row, news=news, now=now)
    _judge(message, Verdict.AGAIN if again else Verdict.TAKEN)
    return True


def _judge(message: GatewayMessage, verdict: str) -> None:
    GatewayMessage.objects.filter(pk=message.pk).update(verdict=verdict)


def waiting(*, limit: int = 200) -> list[GatewayMessage]:
    return list(GatewayMessage.objects.filter(verdict=Verdict.WAITING).order_by("received_at")[:limit])


def _kept(news: News) -> dict:
    return {
        "order": news.order,
        "state": news.state,
        "amount": None if news.amount is None else str(news.amount),
        "reference": news.reference,
        "currency": news.currency,
        "code": news.code,
    }


def _read(kept: dict) -> News:
    amount = kept["amount"]
    return News(**{**kept, "state": State(kept["state"]), "amount": None if amount is None else Decimal(amount)})
