"""组内转诊 (B11): a team member who is seeing the team's patient opens the leading expert's numbers for them."""

from datetime import datetime, timedelta

from django.db import transaction

from appointments.errors import NeedsReason, NotOnTheTeam
from appointments.models import Encounter, TeamReferral
from appointments.selectors import consult, rules
from hospital import clock, outbox
from hospital.models import Patient, Practitioner


@transaction.atomic
def refer_within_team(*, encounter: Encounter, by: Practitioner, reason: str, now: datetime) -> TeamReferral:
    """Open the leader's numbers for this patient, for as long as the rule says (default 30 days).

    Once per visit: a second one keeps the first. Raises NotOnTheTeam, NeedsReason.
    Publishes team_referral.created.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=encounter.patient_id)
    inside = encounter.status in (Encounter.Status.IN_ROOM, Encounter.Status.FINISHED)
    team = consult.referable_team(doctor=by, encounter=encounter)
    if team is None or not inside or encounter.practitioner_id != by.pk:
        raise NotOnTheTeam
    if not reason.strip():
        raise NeedsReason
    days = rules.booking_rule_for(encounter.schedule, day=clock.today(now)).referral_days
    referral, created = TeamReferral.objects.get_or_create(
        team=team,
        encounter=encounter,
        defaults={
            "patient_id": encounter.patient_id,
            "by": by,
            "reason": reason.strip(),
            "created_at": now,
            "valid_until": now + timedelta(days=days),
        },
    )
    if created:
        outbox.publish(
            topic="team_referral.created",
            key=f"team_referral:{referral.pk}",
            payload={"referral": referral.pk, "team": team.pk, "encounter": encounter.pk},
            actor=by.user,
            now=now,
        )
    return referral
