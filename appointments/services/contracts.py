"""执业合约 (P12): a doctor's days at another house, and the role that he sits in there."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Count, F, Q

from appointments.errors import ContractRefused
from appointments.models import Schedule
from appointments.policies import contract as policy
from hospital import audit, clock
from hospital.models import Contract, Department, HealthcareService, Practitioner, PractitionerRole, User

from .moving import WAITING


@dataclass(frozen=True)
class Outside:
    """A clinic to come that no contract covers any more."""

    schedule: Schedule
    patients: int


@transaction.atomic
def grant(
    *,
    contract: Contract,
    department: Department,
    service: HealthcareService,
    by: User,
    now: datetime,
) -> Contract:
    """The days and the role there. Raises ContractRefused."""
    person = Practitioner.objects.select_for_update(no_key=True).get(pk=contract.practitioner_id)
    others = Contract.objects.filter(practitioner=person, organization=contract.organization_id)
    wrong = policy.problem(
        contract, others=list(others), department=department, service=service, today=clock.today(now)
    )
    if wrong:
        raise ContractRefused(problem=wrong[1])
    contract.save()
    role, _made = PractitionerRole.objects.get_or_create(practitioner=person, department=department, service=service)
    if not role.active:
        role.active = True
        role.save(update_fields=["active"])
    detail = {"after": _said(contract) | {"role": role.pk}}
    audit.record(action="contract.granted", actor=by, now=now, subject=f"contract:{contract.pk}", detail=detail)
    return contract


@transaction.atomic
def end(*, contract: Contract, last_day: date, by: User, now: datetime) -> list[Outside]:
    """The last day of it. Touches no clinic: those that it leaves uncovered come back, to be stopped by hand. Raises
    ContractRefused."""
    contract = Contract.objects.select_for_update(no_key=True, of=["self"]).get(pk=contract.pk)
    if wrong := policy.problem_of_end(contract, last_day=last_day):
        raise ContractRefused(problem=wrong)
    before = _said(contract)
    contract.effective_to = last_day
    contract.save(update_fields=["effective_to"])
    detail = {"before": before, "after": _said(contract)}
    audit.record(action="contract.ended", actor=by, now=now, subject=f"contract:{contract.pk}", detail=detail)
    return outside([contract], now=now)[contract.pk]


def outside(contracts: list[Contract], *, now: datetime) -> dict[int, list[Outside]]:
    """Contract → the open clinics to come of its doctor in its house that no contract covers. Two queries."""
    people = {row.practitioner_id for row in contracts}
    houses = {row.organization_id for row in contracts}
    days: dict[tuple[int, int], list] = {}
    for row in Contract.objects.filter(practitioner__in=people, organization__in=houses):
        days.setdefault((row.practitioner_id, row.organization_id), []).append((row.effective_from, row.effective_to))
    rows = Schedule.objects.filter(
        organization__in=houses,
        status=Schedule.Status.OPEN,
        starts_at__gt=now,
        participants__practitioner__in=people,
        participants__active=True,
    )
    waiting = Count("appointments", filter=Q(appointments__status__in=WAITING), distinct=True)
    rows = rows.annotate(patients=waiting, sits=F("participants__practitioner"))
    found: dict[tuple[int, int], list[Outside]] = {}
    for row in rows.select_related("role__practitioner", "team", "service", "department").order_by("starts_at", "pk"):
        place = (row.sits, row.organization_id)
        if not policy.may_sit(at_home=False, contracts=days.get(place, []), day=row.day):
            found.setdefault(place, []).append(Outside(row, row.patients))
    return {row.pk: found.get((row.practitioner_id, row.organization_id), []) for row in contracts}


def _said(row: Contract) -> dict:
    return {
        "practitioner": row.practitioner_id,
        "organization": row.organization_id,
        "from": row.effective_from.isoformat(),
        "to": row.effective_to and row.effective_to.isoformat(),
    }
