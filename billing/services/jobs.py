"""What no request does: found by query, so nothing has to be remembered. Safe to run twice and side by side."""

from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

import structlog

from billing.errors import NoGateway

from . import crediting, delivering, hearing, insurance_steps, paying, receipts, refunding, sending_back

log = structlog.get_logger(__name__)

SECONDS = 6.0
"""For one kind of work in a round: who answers slowly holds up neither the other kinds nor the worker. Rounds come
every 20 seconds, and take the longest waiting first."""


def catch_up(*, now: datetime) -> int:
    """Callbacks kept and not acted on, payments without news, lines paid or on credit without confirmation, refunds to
    send, steps of the insurance. Returns how many were looked at. One that fails is tried again next time and holds
    nobody up; only the exception's class is kept."""
    looked = _each("message", hearing.waiting(), lambda row: hearing.act(message=row, now=now))
    looked += _each("payment", paying.to_find_out(now=now), lambda row: paying.find_out(payment=row, now=now))
    looked += _each("invoice", delivering.to_deliver(), lambda pk: delivering.deliver(invoice=pk, by=None, now=now))
    looked += _each("invoice", crediting.to_confirm(), lambda pk: crediting.confirm(invoice=pk, by=None, now=now))
    looked += _each("refund", refunding.to_send(now=now), lambda row: refunding.send(refund=row, now=now))
    looked += _each("unowned", sending_back.to_send(now=now), lambda row: sending_back.send(row=row, now=now))
    looked += _each("receipt", receipts.to_send(now=now), lambda row: receipts.send(receipt=row, now=now))
    return looked + insurance_steps.catch_up(now=now)


def _each(what: str, rows: Iterable, deed: Callable) -> int:
    """How many there was time for."""
    end, looked = monotonic() + SECONDS, 0
    for row in rows:
        _try(lambda row=row: deed(row), **{what: getattr(row, "pk", row)})
        looked += 1
        if monotonic() > end:
            break
    return looked


def _try(deed, **what: int) -> None:
    try:
        deed()
    except NoGateway:
        log.warning("money_gateway_missing", **what)
    except Exception as error:
        log.warning("money_job_failed", error=type(error).__name__, **what)
