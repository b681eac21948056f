"""先诊疗后付费协议 (M4): signed on the phone for a person whom a phone or a window proved, or at the window.

Locks: patient.
"""

from datetime import datetime, timedelta

from django.db import transaction

from billing.errors import CreditNotOffered, CreditOverdue
from billing.models import CreditAgreement
from billing.selectors import rules, sums
from hospital import audit, clock, messages
from hospital.models import Organization, Patient, User

SIGNED, ENDED = "credit.signed", "credit.ended"


@transaction.atomic
def sign(
    *, patient: Patient, organization: Organization, by: User, now: datetime, where: str, request=None
) -> CreditAgreement:
    """With the limit and days that the house offers today. Signed again is the same; other numbers than those agreed to
    begin today. The person is told, so that nobody signs in their name unnoticed. `where`: phone or window.

    Raises CreditNotOffered, CreditOverdue.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    offer = rules.credit_offer(organization.pk, now=now)
    if offer is None:
        raise CreditNotOffered()
    if sums.owed_on_credit(patient.pk, organization_id=organization.pk, now=now)[1]:
        raise CreditOverdue()
    today = clock.today(now)
    there = rules.agreement_of(patient.pk, organization_id=organization.pk, now=now)
    if there and there.effective_to is None and (there.limit, there.days) == (offer.limit, offer.days):
        return there
    if there and there.effective_from < today:
        there.effective_to = today - timedelta(days=1)
        there.save(update_fields=["effective_to"])
        there = None
    row = there or CreditAgreement(patient=patient, organization=organization, effective_from=today)
    row.limit, row.days, row.by, row.signed_at, row.effective_to = offer.limit, offer.days, by, now, None
    row.save()
    _told(SIGNED, row, by=by, now=now, request=request, where=where)
    return row


@transaction.atomic
def end(
    *, patient: Patient, organization: Organization, by: User, now: datetime, where: str, request=None
) -> CreditAgreement | None:
    """From tomorrow on everything is paid first; what is owed stays due on its day. Twice is once; None: there is no
    agreement."""
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    row = rules.agreement_of(patient.pk, organization_id=organization.pk, now=now)
    if row is None or row.effective_to is not None:
        return row
    row.effective_to = clock.today(now)
    row.save(update_fields=["effective_to"])
    _told(ENDED, row, by=by, now=now, request=request, where=where)
    return row


def _told(action: str, row: CreditAgreement, *, by: User, now: datetime, request, where: str) -> None:
    audit.record(
        action=action,
        actor=by,
        patient=row.patient,
        subject=f"credit:{row.pk}",
        detail={"limit": str(row.limit), "days": row.days, "where": where},
        now=now,
        request=request,
    )
    house = row.organization
    params = {
        "hospital": house.short_name or house.name,
        "phone": house.phone,
        "limit": f"{row.limit:.2f}",
        "days": row.days,
        "day": row.effective_to.isoformat() if row.effective_to else "",
        "credit": house.pk,
    }
    dedupe = f"{action}:{row.pk}:{now.timestamp():.0f}"
    messages.tell(patient=row.patient, template=action, params=params, dedupe=dedupe, about=f"credit:{row.pk}", now=now)
