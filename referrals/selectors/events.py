"""What other systems of both institutions are told of a referral (O1, R7): ids and codes, never who the patient is or
what was written. Who may know more reads the referral with its token.

What an event says is what the fact said; only what can't change is looked up.
"""

from datetime import datetime

from hospital import clock
from hospital.models import Department, Fact, Organization
from referrals.models import Referral, ReferralEvent

Kind = ReferralEvent.Kind

TOPICS = tuple(f"referral.{kind}" for kind in Kind.values)
OF_THE_SENDER = f"referral.{Kind.CREATED}"
"""A draft is nobody's but its writer's, even if it was sent before the event is told."""


def organizations_of(fact: Fact) -> list[int]:
    """Whose systems hear of it: both sides, and the hospital that redirected it to another one."""
    said = fact.payload
    told = [said["origin"]]
    sent = Referral.objects.filter(pk=said["referral"], sent_at__isnull=False).exists()
    if sent and fact.topic != OF_THE_SENDER:
        told += [said["receiver"], said.get("from_receiver")]
    return list(dict.fromkeys(each for each in told if each))


def data_of(fact: Fact) -> dict | None:
    """The `data` of an event; None when there is nothing to tell."""
    said = fact.payload
    row = Referral.objects.filter(pk=said["referral"]).only("pk", "direction", "urgency", "sent_at").first()
    if row is None:
        return None
    houses = dict(Organization.objects.filter(pk__in=[said["origin"], said["receiver"]]).values_list("pk", "code"))
    return {
        "referral": row.pk,
        "number": row.number,
        "status": said["status"],
        "direction": said["direction"],
        "urgency": row.urgency,
        "origin": houses[said["origin"]],
        "receiver": houses[said["receiver"]],
        "department": _department(said.get("department")),
        "appointment": said.get("appointment"),
        "start": _iso(said.get("start")),
        "why": said.get("why"),
    }


def _department(pk: int | None) -> str | None:
    """Of a redirected one: where to."""
    return Department.objects.filter(pk=pk).values_list("code", flat=True).first() if pk else None


def _iso(moment: str | None) -> str | None:
    return moment and datetime.fromisoformat(moment).astimezone(clock.ZONE).isoformat()
