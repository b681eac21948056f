"""Facts and audit rows of the money: ids and amounts, never a person's data."""

from datetime import datetime

from billing.models import Invoice
from hospital import audit, outbox
from hospital.models import User


def publish(topic: str, invoice: Invoice, *, by: User | None, now: datetime, **payload) -> None:
    """Key "invoice:<id>": the caller holds the invoice, so facts of one are in the order of commits."""
    said = {"invoice": invoice.pk, "organization": invoice.organization_id, **payload}
    outbox.publish(topic=topic, key=f"invoice:{invoice.pk}", payload=said, actor=by, now=now)


def record(action: str, invoice: Invoice, *, by: User | None, now: datetime, **detail) -> None:
    audit.record(
        action=action,
        actor=by,
        patient=invoice.patient,
        subject=f"invoice:{invoice.pk}",
        detail={name: str(value) for name, value in detail.items()},
        now=now,
    )
