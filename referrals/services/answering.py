"""转诊办与接收方: ask back, accept, redirect, reject, complete (R4). Raises NotTheirTurn, ReferralOver, NeedsReason.

Locks: the referral. `now` is aware UTC.
"""

from datetime import datetime

from django.db import transaction

from hospital import clock
from hospital.models import CareTeam, Department, Organization, PractitionerRole, User
from referrals import errors
from referrals.models import Referral
from referrals.policies import deadlines
from referrals.policies import writing as policy
from referrals.policies.moves import Act, Side
from referrals.selectors import rules
from referrals.selectors.workdays import workday_at

from . import green, trail, writing

Status = Referral.Status


@transaction.atomic
def ask_back(*, referral: Referral, question: str, by: User, now: datetime) -> Referral:
    """要求补充: the sender's turn, with a deadline of its own. Publishes referral.asked.

    Raises GreenNotAsked: who is on the way is not waited for on paper.
    """
    row = _mine(referral, Act.ASK)
    if row.urgency == Referral.Urgency.GREEN and row.direction == Referral.Direction.UP:
        raise errors.GreenNotAsked(phone=row.origin.phone or "—")
    _said(question)
    rule = rules.referral_rule(row.receiver_id, day=clock.today(now))
    is_workday = workday_at(row.origin_id, or_of=row.receiver_id, since=clock.today(now))
    due = deadlines.answer_due_at(urgency=row.urgency, since=now, rule=rule, is_workday=is_workday)
    _step(row, trail.Kind.ASKED, by, now, status=Status.ASKED, text=question, due_at=due, escalated_at=None)
    return row


@transaction.atomic
def accept(*, referral: Referral, by: User, note: str = "", now: datetime) -> Referral:
    """接收. With a number it is booked at once; without one it stays on the office's list to be booked.

    Accepting twice is accepting once. Publishes referral.accepted.
    """
    row = trail.locked(referral.pk)
    if row.status in (Status.ACCEPTED, Status.BOOKED):
        return row
    trail.may(row, Act.ACCEPT, Side.RECEIVER)
    after = Status.BOOKED if row.appointment_id else Status.ACCEPTED
    due = None if row.appointment_id or row.direction == Referral.Direction.DOWN else writing.due(row, now=now)
    _step(row, trail.Kind.ACCEPTED, by, now, status=after, text=note, due_at=due, escalated_at=None)
    return row


@transaction.atomic
def redirect(
    *,
    referral: Referral,
    reason: str,
    by: User,
    department: Department,
    role: PractitionerRole | None = None,
    team: CareTeam | None = None,
    receiver: Organization | None = None,
    now: datetime,
) -> Referral:
    """改派 to another department, doctor or team, or to another hospital, whose office then answers anew.

    A number that it held stays booked; whoever redirects says in the page what becomes of it (numbers.let_go).
    Publishes referral.redirected {from_department, department, from_receiver}. Raises ReceiverClosed, AlreadyReferred.
    """
    row = _mine(referral, Act.REDIRECT)
    _said(reason)
    was = {"from_department": row.department_id, "from_receiver": row.receiver_id, "department": department.pk}
    acting = row.receiver_id
    row.department, row.role, row.team = department, role, team
    row.receiver = receiver or row.receiver
    if refused := policy.refusal_of_place(row):
        raise refused
    if other := writing.open_to(row.patient_id, row.receiver_id, department, but=row.pk):
        raise errors.AlreadyReferred(department=department.name, number=other.number)
    trail.step(
        row, trail.Kind.REDIRECTED, by=by, organization_id=acting, now=now, status=Status.REDIRECTED, text=reason,
        detail=was, department=department, role=role, team=team, receiver=row.receiver,
        due_at=writing.due(row, now=now), escalated_at=None, appointment=None,
        answered_at=row.answered_at or now,
    )  # fmt: skip
    if row.urgency == Referral.Urgency.GREEN and row.receiver_id != acting:
        green.ring(row, now=now)
    return row


@transaction.atomic
def reject(*, referral: Referral, reason: str, by: User, now: datetime) -> Referral:
    """退回, with a reason that the sender reads. Publishes referral.rejected {appointment}."""
    row = _mine(referral, Act.REJECT)
    _said(reason)
    detail = {"appointment": row.appointment_id}
    _step(row, trail.Kind.REJECTED, by, now, status=Status.REJECTED, text=reason, detail=detail)
    return row


@transaction.atomic
def complete(*, referral: Referral, by: User, note: str = "", now: datetime) -> Referral:
    """完成: nothing more is to be done here, and nobody goes back down. Twice is once. Publishes referral.completed."""
    row = trail.locked(referral.pk)
    if row.status == Status.COMPLETED:
        return row
    trail.may(row, Act.COMPLETE, Side.RECEIVER)
    _step(row, trail.Kind.COMPLETED, by, now, status=Status.COMPLETED, text=note)
    return row


def _mine(referral: Referral, act: Act) -> Referral:
    row = trail.locked(referral.pk)
    trail.may(row, act, Side.RECEIVER)
    return row


def _said(text: str) -> None:
    if not text.strip():
        raise errors.NeedsReason()


def _step(row: Referral, kind: str, by: User, now: datetime, **said) -> None:
    """The receiver's step; the first one is its answer."""
    said.setdefault("answered_at", row.answered_at or now)
    trail.step(row, kind, by=by, organization_id=row.receiver_id, now=now, **said)
