"""家属 (B22): whom an account books for. Real names, at most so many, each with a proof that the account may.

An unknown document makes a record of its own. A known one needs the same name and a code to the phone of that record,
or the window: nobody learns anything about a registered person by trying (B16). Rows end, they are never deleted.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import BooleanField, F, Func, Q
from django.utils.translation import gettext_lazy as _

from . import account_rules, accounts, audit, clock, consents, identity, messages, patients
from . import family_policies as policies
from .errors import Refused
from .models import AccountPhone, AccountRule, AuditEvent, Notice, Patient, PatientIdentifier, RelatedPerson, User

WRONG = "family.refused"
"""The trail's word for a name that does not belong to the document: what a day's tries are counted by."""

UNPROVED = RelatedPerson.Proof.REGISTERED
LATELY = timedelta(days=30)
BOUND_AT_WINDOW = "family.bound"


class NameMismatch(Refused):
    """The same words whether the document is unknown, another's or badly read: it discloses nobody."""

    code = "name_mismatch"
    status = 422
    message = _("姓名和证件号码对不上。")
    next_step = _("请对照证件检查姓名和号码；确认无误还是不行，请带证件到窗口办理绑定。")


class GoToTheWindow(Refused):
    code = "bind_at_the_window"
    message = _("这位就诊人没有登记可以核验的手机，不能在网上添加。")
    next_step = _("请带就诊人的证件和您的手机到窗口办理绑定。")


class SelfAtTheWindow(Refused):
    code = "self_at_the_window"
    message = _("“本人”不能在网上更改。")
    next_step = _("请带证件和手机到窗口更改。")


class NoSuchAccount(Refused):
    code = "no_account_of_phone"
    message = _("这个手机号还没有在网上登录过。")
    next_step = _("请患者先用这个手机号登录一次，再办理绑定。")


@dataclass(frozen=True)
class Person:
    """Who is to be added, as the form says."""

    name: str
    kind: str
    number: str
    relation: str
    sex: str = Patient.Sex.UNKNOWN
    birth_date: date | None = None
    phone: str = ""
    agreed: bool = False  # as the guardian, to the rules for children's data


@dataclass(frozen=True)
class CodeNeeded:
    """The person is registered with another phone: a code to it proves that somebody there agrees."""

    patient: Patient


def people_of(account: User) -> list[RelatedPerson]:
    """The account's people in their order, each with its patient. One query."""
    rows = RelatedPerson.objects.filter(account=account, ended_at=None, patient__active=True)
    return list(rows.select_related("patient").order_by("place"))


def bound_to(patient: Patient) -> list[RelatedPerson]:
    """Who may act for the patient now, for the window."""
    rows = RelatedPerson.objects.filter(patient=patient, ended_at=None)
    return list(rows.select_related("account").order_by("pk"))


def theirs(account: User, *, inactive_too: bool = False, proved: bool = False) -> Func:
    """A condition on a table with `patient`: the row is of one of the account's people.

    Their ids as an array, found first: as `patient IN (SELECT …)` PostgreSQL read every patient and every booking of a
    large hospital before it looked at whose they are.
    """
    people = RelatedPerson.objects.filter(account=account, ended_at=None)
    people = people if inactive_too else people.filter(patient__active=True)
    people = people.exclude(proof=UNPROVED) if proved else people
    ids = ArraySubquery(people.values("patient"))
    return Func(F("patient_id"), ids, template="%(expressions)s)", arg_joiner=" = ANY(", output_field=BooleanField())


def seen(account: User, *, own: Q, inactive_too: bool = False) -> Q:
    """What the account sees of a table with `patient`: all rows of those whom a phone or a window proved; of a person
    whom it registered itself only its `own` doing. A name and a document number are for sale."""
    people = theirs(account, inactive_too=inactive_too)
    return Q(people) & (own | Q(theirs(account, inactive_too=inactive_too, proved=True)))


def is_mine(account: User, patient_id: int) -> bool:
    return RelatedPerson.objects.filter(account=account, ended_at=None, patient=patient_id).exists()


def add(*, account: User, person: Person, now: datetime, request=None) -> RelatedPerson | CodeNeeded:
    """Add a person to the account, or say that a code is needed first (nothing is bound then, see `bind_proved`).

    Leaves audit rows and counts wrong tries for good: never inside a transaction. Raises AlreadyYours, BadDocument,
    BadPhone, ChildHasNoAccount, DocumentMismatch, FamilyFull, GoToTheWindow, GuardianNeeded, ImpossibleBirthDate,
    NameMismatch, SecondSelf, TooManyAdditions, TooManyWrongTries.
    """
    rule = account_rules.in_force(now=now)
    paper = _agrees_with_itself(person, rule=rule, now=now)
    with transaction.atomic():
        refusal = _refusal_before_looking(account, person.relation, rule=rule, now=now)
        if refusal:
            raise refusal
        try:
            with transaction.atomic():
                return _look(account, person, paper, rule=rule, now=now, request=request)
        except policies.AlreadyYours:
            raise  # tells nothing new
        except Refused as no:
            refusal = no
            audit.record(action=WRONG, actor=account, now=now, detail={"kind": person.kind}, request=request)
    raise refusal  # outside the transaction: the counted try stays


def bind_proved(*, account: User, patient: Patient, relation: str, agreed: bool, now: datetime, request=None):
    """Add a registered person after a code to the phone of their record. Raises as `add`."""
    proof = _by_phone(patient)
    return _bind(account, patient, relation, proof=proof, agreed=agreed, actor=account, now=now, request=request)


def bind_at_the_window(
    *, patient: Patient, phone: str, relation: str, agreed: bool, by: User, now: datetime, request=None
) -> RelatedPerson:
    """A clerk who holds the document adds the person to the account of a phone. `agreed`: the guardian signed for the
    child. Raises as `add`, and NoSuchAccount."""
    row = account_of(phone)
    with transaction.atomic():
        said = {"relation": relation, "agreed": agreed, "by": by, "now": now, "request": request}
        bound = _confirm(row.user, patient, **said) or _bind(
            row.user, patient, relation, proof="desk", agreed=agreed, actor=by, now=now, request=request
        )
        messages.tell(patient=patient, template=BOUND_AT_WINDOW, params={}, dedupe=f"family:{bound.pk}", now=now)
    return bound


def account_of(phone: str) -> AccountPhone:
    """For the window. Raises BadPhone, NoSuchAccount."""
    rows = AccountPhone.objects.filter(phone_hash=identity.phone_hash(identity.read_phone(phone)))
    row = rows.select_related("user").first()
    if row is None or not row.user.is_active:
        raise NoSuchAccount
    return row


def change_relation(*, row: RelatedPerson, relation: str, now: datetime, request=None) -> None:
    """By the account itself: never to or from 本人, which opens a whole copy. Raises SelfAtTheWindow."""
    if relation != row.relation and RelatedPerson.Relation.SELF in (relation, row.relation):
        raise SelfAtTheWindow
    with transaction.atomic():
        _locked_family(row.account)
        row.relation = relation
        row.save(update_fields=["relation"])
        _trace("family.changed", row, actor=row.account, now=now, request=request)


@transaction.atomic
def unbind(*, row: RelatedPerson, by: User, now: datetime, reason: str = "", request=None) -> None:
    """解除绑定, by the account or by a window that says the `reason`. Bookings stay: whoever has the document still
    comes. What was agreed to for the person ends, and so does the account's phone on the record of somebody else, or
    of anybody when the window ends it. Twice is once."""
    _locked_family(row.account)
    if not RelatedPerson.objects.filter(pk=row.pk, ended_at=None).update(ended_at=now):
        return
    consents.withdraw_all(account=row.account, patient=row.patient, now=now)
    if row.relation != RelatedPerson.Relation.SELF or by != row.account:
        accounts.forget_phone(user=row.account, patients=[row.patient_id])
    _trace("family.ended", row, actor=by, now=now, request=request, **({"reason": reason} if reason else {}))


def wrong_today(account: User, *, now: datetime) -> int:
    """How often the account named a registered document wrongly since the hospital's midnight."""
    midnight = clock.at(clock.today(now), time.min)
    return AuditEvent.objects.filter(actor=account, action=WRONG, at__gte=midnight).count()


def _refusal_before_looking(account: User, relation: str, *, rule: AccountRule, now: datetime) -> Refused | None:
    """What needs no look at the register. Holds the account until the transaction ends."""
    people = _locked_family(account)
    lately = RelatedPerson.objects.filter(account=account, since__gt=now - LATELY).count()
    return policies.refusal_to_try(wrong_today=wrong_today(account, now=now), rule=rule) or policies.refusal_to_add(
        family=people, added_lately=lately, relation=relation, rule=rule
    )


def _agrees_with_itself(person: Person, *, rule: AccountRule, now: datetime) -> identity.Document:
    """The document, if what was typed can be true. Nobody is looked up: known and unknown numbers answer alike."""
    paper = identity.read_document(kind=person.kind, number=person.number)
    born, _sex = patients.facts_of([paper], sex=person.sex, birth_date=person.birth_date, now=now)
    if person.phone:
        identity.read_phone(person.phone)
    _refuse_child(born, person, rule=rule, now=now)
    return paper


def _look(account: User, person: Person, paper, *, rule, now: datetime, request) -> RelatedPerson | CodeNeeded:
    known = _holder(paper)
    if known is None:
        return _register(account, person, rule=rule, now=now, request=request)
    if known.active and known.name == identity.read_name(person.name):
        return _bind_known(account, known, person, rule=rule, now=now, request=request)
    raise NameMismatch


def _holder(paper: identity.Document) -> Patient | None:
    row = PatientIdentifier.objects.filter(kind=paper.kind, number_hash=paper.hash).select_related("patient").first()
    return row.patient if row else None


def _register(account: User, person: Person, *, rule, now: datetime, request) -> RelatedPerson:
    """建档 by the account itself, and bound to it."""
    try:
        patient = patients.register_patient(
            name=person.name,
            documents=[(person.kind, person.number)],
            by=account,
            now=now,
            sex=person.sex,
            birth_date=person.birth_date,
            phone=person.phone or _phone_of(account),
            request=request,
        )
    except patients.AlreadyRegistered:  # at a window, in this very moment: its words name the person
        raise NameMismatch from None
    return _write(account, patient, person.relation, proof=UNPROVED, rule=rule, now=now, request=request)


def _bind_known(account: User, patient: Patient, person: Person, *, rule, now: datetime, request):
    """The name fits. The account's own phone on the record is proof; another phone has to answer a code."""
    if RelatedPerson.objects.filter(account=account, patient=patient, ended_at=None).exists():
        raise policies.AlreadyYours
    _refuse_child(patient.birth_date, person, rule=rule, now=now)
    if not identity.is_mobile(patient.phone):  # none, a fixed line, abroad: no code gets there
        raise GoToTheWindow
    if patient.phone != _phone_of(account):
        return CodeNeeded(patient=patient)
    return _write(account, patient, person.relation, proof=_by_phone(patient), rule=rule, now=now, request=request)


def _bind(account, patient, relation, *, proof, agreed, actor, now: datetime, request) -> RelatedPerson:
    rule = account_rules.in_force(now=now)
    with transaction.atomic():
        people = _locked_family(account)
        if any(row.patient_id == patient.pk for row in people):
            raise policies.AlreadyYours
        lately = RelatedPerson.objects.filter(account=account, since__gt=now - LATELY).count()
        refusal = policies.refusal_to_add(
            family=people, added_lately=lately, relation=relation, rule=rule
        ) or policies.refusal_of_child(
            patient.birth_date, relation=relation, agreed=agreed, rule=rule, day=clock.today(now)
        )
        if refusal:
            raise refusal
        return _write(account, patient, relation, proof=proof, rule=rule, now=now, request=request, actor=actor)


def _confirm(account: User, patient: Patient, *, relation, agreed, by, now: datetime, request) -> RelatedPerson | None:
    """The window has seen the document of somebody who is bound already: the proof is the desk's now, the relation
    what is said there. None: nothing to confirm."""
    rule, day = account_rules.in_force(now=now), clock.today(now)
    family = _locked_family(account)
    row = next((row for row in family if row.patient_id == patient.pk), None)
    if row is None or (row.proof == RelatedPerson.Proof.DESK and row.relation == relation):
        return None
    refusal = policies.refusal_of_relation(
        others=[other for other in family if other != row], relation=relation
    ) or policies.refusal_of_child(patient.birth_date, relation=relation, agreed=agreed, rule=rule, day=day)
    if refusal:
        raise refusal
    row.proof, row.relation = RelatedPerson.Proof.DESK, relation
    row.guardian = policies.is_child(patient.birth_date, rule=rule, day=day)
    row.save(update_fields=["proof", "relation", "guardian"])
    _trace("family.changed", row, actor=by, now=now, request=request)
    return row


def _by_phone(patient: Patient) -> str:
    """What a code to the phone of record proves. On a record that was made on the web the phone is what some account
    typed, and proves nothing until a window wrote another."""
    typed = RelatedPerson.objects.filter(patient=patient, proof=UNPROVED).exists()
    given = AuditEvent.objects.filter(patient=patient, action="patient.phone_changed").exists()
    return UNPROVED if typed and not given else RelatedPerson.Proof.PHONE


def _refuse_child(born: date | None, person: Person, *, rule, now: datetime) -> None:
    refusal = policies.refusal_of_child(
        born, relation=person.relation, agreed=person.agreed, rule=rule, day=clock.today(now)
    )
    if refusal:
        raise refusal


def _write(account, patient, relation, *, proof, rule, now: datetime, request, actor=None) -> RelatedPerson:
    """The row, in the first free place; of a child with the guardian's consent. The caller holds the account."""
    child = policies.is_child(patient.birth_date, rule=rule, day=clock.today(now))
    place = policies.free_place(_family(account), limit=rule.family_limit)
    row = RelatedPerson.objects.create(
        account=account, patient=patient, relation=relation, guardian=child, proof=proof, place=place, since=now
    )
    _trace("family.added", row, actor=actor or account, now=now, request=request)
    notice = consents.current(Notice.Kind.CHILD, now=now) if child else None
    if notice:
        consents.give(account=account, notice=notice, patient=patient, now=now, request=request)
    return row


def _family(account: User) -> list[RelatedPerson]:
    """Everybody who takes a place, also a person whose record was closed."""
    return list(RelatedPerson.objects.filter(account=account, ended_at=None).order_by("place"))


def _locked_family(account: User) -> list[RelatedPerson]:
    User.objects.select_for_update(no_key=True).get(pk=account.pk)
    return _family(account)


def _phone_of(account: User) -> str:
    row = AccountPhone.objects.filter(user=account, verified_at__isnull=False).first()
    return row.phone if row else ""


def _trace(action: str, row: RelatedPerson, *, actor: User, now: datetime, request, **more) -> None:
    detail = {"account": row.account_id, "relation": row.relation, "proof": row.proof, **more}
    audit.record(
        action=action,
        actor=actor,
        patient=row.patient,
        subject=f"family:{row.pk}",
        detail=detail,
        now=now,
        request=request,
    )
