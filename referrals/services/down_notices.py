"""What the patient hears when going down: to whom, and when the next visit is. The plan itself stands in the app."""

from datetime import datetime

from hospital import messages
from referrals.models import CarePlan, Referral

SENT_DOWN = "referral.sent_down"


def tell_plan(*, referral: int, now: datetime) -> None:
    """Of a referral down with a plan; nothing of one up. Once, however often it is asked."""
    plans = CarePlan.objects.filter(referral=referral, referral__direction=Referral.Direction.DOWN)
    plan = plans.select_related("referral__patient", "referral__origin", "referral__receiver", "appointment").first()
    if plan is None or plan.referral.ended_at is not None:
        return
    row, number = plan.referral, plan.appointment
    params = {
        "referral": row.pk,
        "hospital": row.origin.short_name or row.origin.name,
        "house": row.receiver.name,
        "phone": row.receiver.phone,
        "day": plan.follow_up_on.isoformat(),
        "start": number.start.isoformat() if number else "",
        "place": plan.follow_up_at.name,
    }
    messages.tell(
        patient=row.patient, template=SENT_DOWN, params=params, about=f"referral:{row.pk}",
        dedupe=f"referral-down:{row.pk}", now=now,
    )  # fmt: skip
