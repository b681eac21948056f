"""One step of the insurance as a call of the port. Without locks and without writing; personal data goes in, and only
numbers come out."""

from datetime import datetime
from decimal import Decimal

from billing.gateways import ports
from billing.gateways.ports import Answer, Detail, Insured
from billing.models import ChargeItem, InsuranceItem, InsuranceSettlement, InsuranceStep
from billing.policies.insurance import Step
from billing.selectors import rules
from hospital.models import Patient, PatientIdentifier

Status = InsuranceSettlement.Status
Kind = PatientIdentifier.Kind
PAPERS = (Kind.ID_CARD, Kind.SOCIAL_CARD, Kind.RESIDENCE_PERMIT, Kind.FOREIGN_PERMANENT, Kind.PASSPORT)
"""By which a person is known to the insurance, the surest first."""


def paper_of(patient_id: int) -> PatientIdentifier | None:
    held = PatientIdentifier.objects.filter(patient=patient_id, kind__in=PAPERS)
    return min(held, key=lambda one: (PAPERS.index(one.kind), one.pk), default=None)


def ask(step: InsuranceStep, *, now: datetime) -> Answer | None:
    """What the insurance answers. None: a settlement that nobody wants any more never was. Raises Away, Refuses,
    NoGateway."""
    row = step.settlement
    port = ports.insurance(organization=row.organization_id)
    paper = paper_of(row.invoice.patient_id)
    if paper is None:
        raise ports.Refuses("NO_DOCUMENT")
    person = Insured(paper.kind, paper.number, row.insurance, row.person)
    who = {"message": step.message, "person": person}
    visit = who | {"visit": row.visit}
    bill = visit | {"total": row.total, "use_account": row.use_account}
    match step.step:
        case Step.PERSON:
            return port.check_person(**who)
        case Step.REGISTER:
            return port.register(**who, visit=f"{row.invoice_id}-{row.attempt}", at=row.started_at)
        case Step.VISIT:
            return port.describe(**visit, at=row.started_at)
        case Step.UPLOAD:
            return port.upload(**visit, details=_details(row, now=now), at=row.started_at)
        case Step.PRESETTLE:
            return port.presettle(**bill)
        case Step.SETTLE:
            return _settle(port, step, person, bill)
        case Step.UNSETTLE:
            return _unsettle(port, step, person)
        case Step.TAKE_BACK:
            return _take_back(port, step, person)
        case _:
            return port.unregister(**visit)


def _settle(port, step: InsuranceStep, person: Insured, bill: dict) -> Answer | None:
    """Asked before without an answer: looked up first."""
    asked_before = step.tries > 1
    if asked_before and (found := _find(port, step, person)):
        return found
    if step.settlement.status == Status.REVERSING:
        return None
    try:
        return port.settle(**bill)
    except ports.Refuses:
        if asked_before and (found := _find(port, step, person)):  # the first try came through just now
            return found
        raise


def _unsettle(port, step: InsuranceStep, person: Insured) -> Answer:
    row = step.settlement
    if step.tries > 1 and _find(port, step, person) is None:
        return Answer()
    try:
        return port.unsettle(message=step.message, person=person, visit=row.visit, number=row.number)
    except ports.Refuses:
        if _find(port, step, person) is None:  # it is reversed: by a try of ours, or by hand at the insurance's desk
            return Answer()
        raise


def _take_back(port, step: InsuranceStep, person: Insured) -> Answer:
    """A settlement that came through after we were told there was none: reversed here, it was never in our books."""
    visit = {"person": person, "visit": step.settlement.visit}
    try:
        return port.take_back(message=step.message, **visit)
    except ports.Refuses:
        found = _find(port, step, person)
        if found is None:
            raise
        port.unsettle(message=f"{step.message}u", **visit, number=found.numbers["setl_id"])
        return port.take_back(message=f"{step.message}t", **visit)


def _find(port, step: InsuranceStep, person: Insured) -> Answer | None:
    """A question has a number of its own each time."""
    return port.find(message=f"{step.message}q{step.tries}", person=person, visit=step.settlement.visit)


def _details(row: InsuranceSettlement, *, now: datetime) -> list[Detail]:
    lines = list(row.invoice.lines.exclude(status__in=ChargeItem.GONE).order_by("pk"))
    items = rules.insurance_items(row.organization_id, [line.code for line in lines], now=now)
    return [_detail(row, line, items.get(line.code)) for line in lines if line.amount]


def _detail(row: InsuranceSettlement, line: ChargeItem, item: InsuranceItem | None) -> Detail:
    """What is not on the list is of class C: the person's own."""
    return Detail(
        number=f"{row.pk}-{line.pk}",
        code=line.code,
        national_code=item.national_code if item else "",
        name=line.name,
        price=line.price,
        quantity=line.quantity,
        amount=line.amount,
        klass=item.klass if item else InsuranceItem.Klass.C,
        own_percent=item.own_percent if item and item.klass == InsuranceItem.Klass.B else Decimal(0),
    )


def is_known(patient: Patient) -> bool:
    return paper_of(patient.pk) is not None
