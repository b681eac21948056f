"""A gateway for development and the demo: shows messages on /inbox/, and drops a repeated request id as a real one."""

from datetime import datetime

from hospital import masking
from hospital.models import GatewayReceipt


def take(*, request_id: str, to: str, template: str, text: str, now: datetime) -> None:
    """Idempotent by `request_id`. The number is kept masked."""
    GatewayReceipt.objects.bulk_create(
        [GatewayReceipt(request_id=request_id, to=masking.phone(to), text=text, received_at=now)],
        ignore_conflicts=True,
    )
