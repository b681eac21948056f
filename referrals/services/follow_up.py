"""随访 (V4): on the list until somebody did it; worse means up again. Locks: the referral, then its follow-up."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from hospital import clock
from hospital.models import User
from referrals import errors
from referrals.models import CarePlan, FollowUp, Referral
from referrals.policies import follow_up as policy
from referrals.policies.moves import Act, Side, refusal
from referrals.selectors import rules

from . import answering, trail, writing

Outcome = FollowUp.Outcome


@transaction.atomic
def tried(*, follow_up: FollowUp, by: User, now: datetime, note: str = "", next_on: date | None = None) -> FollowUp:
    """未联系上: counted, and again on `next_on` (tomorrow). The other side reads it. Raises FollowedUpAlready."""
    referral, row = _locked(follow_up)
    today = clock.today(now)
    if refused := policy.refusal_to_record(row, outcome="", next_on=next_on, today=today):
        raise refused
    row.tries += 1
    row.due_on = next_on or max(row.due_on, today + policy.AGAIN)
    row.save(update_fields=["tries", "due_on"])
    said = _("随访第%(tries)d次未联系上。") % {"tries": row.tries}
    trail.step(
        referral, trail.Kind.NOTED, by=by, organization_id=row.organization_id, now=now, text=f"{said}{note}",
        detail={"follow_up": row.pk, "tries": row.tries},
    )  # fmt: skip
    return row


@transaction.atomic
def record(
    *,
    follow_up: FollowUp,
    way: str,
    outcome: str,
    text: str = "",
    next_on: date | None = None,
    by: User,
    now: datetime,
) -> FollowUp | None:
    """随访 done; gives the next one, or None where this was the last: then the referral is completed.

    Whoever follows up has taken the patient over: a referral down that nobody had acknowledged is accepted first.
    Publishes referral.followed_up {follow_up, outcome}. Raises FollowedUpAlready, WorseNeedsNext, FollowUpDayGone.
    """
    referral, row = _locked(follow_up)
    if refused := policy.refusal_to_record(row, outcome=outcome, next_on=next_on, today=clock.today(now)):
        raise refused
    if row.organization_id == referral.receiver_id and _may(referral, Act.ACCEPT):
        referral = answering.accept(referral=referral, by=by, now=now)
    row.done_at, row.by, row.way, row.outcome, row.text = now, by, way, outcome, text.strip()
    row.save(update_fields=["done_at", "by", "way", "outcome", "text"])
    said = "，".join(filter(None, [row.get_outcome_display(), row.text]))
    trail.step(
        referral, trail.Kind.FOLLOWED_UP, by=by, organization_id=row.organization_id, now=now, text=said,
        detail={"follow_up": row.pk, "outcome": outcome},
    )  # fmt: skip
    if next_on is not None and outcome not in policy.ENDS:
        return FollowUp.objects.create(
            referral=referral, patient=row.patient, organization_id=row.organization_id, due_on=next_on
        )
    if _may(referral, Act.COMPLETE):
        answering.complete(referral=referral, by=by, note=_("随访结束。"), now=now)
    return None


@transaction.atomic
def draft_up(*, follow_up: FollowUp, by: User, now: datetime) -> Referral:
    """加重 → 上转: a draft to the hospital that sent the patient down, with what is known already written in. Asking
    twice opens the same draft. Raises NothingToReferUpTo."""
    down, row = _locked(follow_up)
    hospital, member = down.origin, down.receiver
    if row.organization_id != member.pk or not rules.agreed(hospital=hospital, member=member, day=clock.today(now)):
        raise errors.NothingToReferUpTo()
    known = Referral.objects.filter(
        direction=Referral.Direction.UP, status=Referral.Status.DRAFT, patient=row.patient_id, origin=member,
        receiver=hospital, by=by, ended_at=None,
    )  # fmt: skip
    if before := known.first():
        return before
    plan = CarePlan.objects.filter(referral=down).first()
    came_by = down.answers_to
    department = came_by.department if came_by else down.encounter.schedule.department if down.encounter else None
    return writing.draft(
        patient=row.patient, origin=member, receiver=hospital, direction=Referral.Direction.UP, by=by, now=now,
        doctor=getattr(by, "practitioner", None),
        urgency=Referral.Urgency.URGENT,
        department=department if department and department.active else None,
        reason=(_("下转单%(number)s随访中加重：%(text)s") % {"number": down.number, "text": row.text})[:300],
        diagnosis_code=down.diagnosis_code, diagnosis=down.diagnosis,
        history="\n".join(filter(None, [plan.summary if plan else "", down.history]))[:4000],
        medication=(plan.medication if plan else down.medication)[:2000], allergies=down.allergies,
    )  # fmt: skip


def _locked(follow_up: FollowUp) -> tuple[Referral, FollowUp]:
    referral = trail.locked(follow_up.referral_id)
    row = FollowUp.objects.select_for_update(no_key=True, of=("self",)).select_related("by", "patient").get(
        pk=follow_up.pk
    )  # fmt: skip
    return referral, row


def _may(referral: Referral, act: Act) -> bool:
    return refusal(act, side=Side.RECEIVER, status=referral.status, direction=referral.direction) is None
