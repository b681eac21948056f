"""协作协议: from when to when a lower institution books and refers here. What was booked stays; what it left unbooked
is recalled like every other rest."""

from datetime import date, datetime

from django.db import transaction

from appointments.errors import AgreementRefused
from appointments.policies import agreement as policy
from appointments.selectors import rules
from hospital import audit, clock
from hospital.models import Agreement, Organization, User


@transaction.atomic
def agree(*, agreement: Agreement, by: User, now: datetime) -> Agreement:
    """A new one. Raises AgreementRefused."""
    Organization.objects.select_for_update(no_key=True).get(pk=agreement.hospital_id)
    others = Agreement.objects.filter(hospital=agreement.hospital_id, member=agreement.member_id)
    if wrong := policy.problem(agreement, others=list(others), today=clock.today(now)):
        raise AgreementRefused(problem=wrong[1])
    agreement.save(force_insert=True)
    _done("agreement.made", agreement, {"after": _said(agreement)}, by=by, now=now)
    return agreement


@transaction.atomic
def end(*, agreement: Agreement, last_day: date, by: User, now: datetime) -> Agreement:
    """The last day of it. Raises AgreementRefused."""
    row = Agreement.objects.select_for_update(no_key=True, of=["self"]).get(pk=agreement.pk)
    if wrong := policy.problem_of_end(row, last_day=last_day, today=clock.today(now)):
        raise AgreementRefused(problem=wrong)
    before = _said(row)
    row.effective_to = last_day
    row.save(update_fields=["effective_to"])
    _done("agreement.ended", row, {"before": before, "after": _said(row)}, by=by, now=now)
    return row


def _done(action: str, row: Agreement, detail: dict, *, by: User, now: datetime) -> None:
    audit.record(action=action, actor=by, now=now, subject=f"agreement:{row.pk}", detail=detail)
    rules.forget()
    transaction.on_commit(rules.forget, robust=True)


def _said(row: Agreement) -> dict:
    return {
        "hospital": row.hospital_id,
        "member": row.member_id,
        "from": row.effective_from.isoformat(),
        "to": row.effective_to and row.effective_to.isoformat(),
    }
