"""Their patients in our index of persons (患者主索引): one real person is one record, whoever sends it first."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from hospital import audit, clock, identity, patients
from hospital.api.errors import Invalid
from hospital.errors import Refused
from hospital.models import Condition, ExternalRecord, Patient, PatientIdentifier, User

from . import records
from .records import Result

KIND = ExternalRecord.Kind.PATIENT


class DocumentOfAnother(Refused):
    """Their patient is known here, and the document is somebody else's."""

    code = "document_of_another"
    message = _("证件 %(kind)s（尾号 %(last4)s）在本系统属于另一位患者，没有做任何改动。")
    next_step = _("请门诊办公室核对原件：其中一个系统把证件登记在了别人名下。")


class TwoPeople(Refused):
    code = "documents_of_two_people"
    message = _("发来的几个证件在本系统属于不同的患者，没有做任何改动。")
    next_step = _("请门诊办公室核对原件后，在出错的系统里更正。")


class PersonDiffers(Refused):
    """The number or the document is known, and the person it belongs to is called otherwise: never renamed silently."""

    code = "person_differs"
    message = _("%(what)s与本系统里这位患者的不一致，没有做任何改动。")
    next_step = _("请门诊办公室请患者出示证件，核对后在出错的系统里更正。")


class PersonInactive(Refused):
    code = "person_inactive"
    message = _("这位患者在本系统的档案已停用。")
    next_step = _("请联系门诊办公室；确需恢复由系统管理员办理。")


@dataclass(frozen=True)
class Said:
    """A patient as they describe them. None: not told, left as it is; an empty text or list: there is none."""

    name: str
    changed_at: datetime
    documents: tuple[tuple[str, str], ...]  # (kind, number)
    sex: str | None = None
    birth_date: date | None = None
    phone: str | None = None
    insurance: str | None = None
    allergies: tuple[str, ...] | None = None
    problems: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Upserted:
    result: Result
    patient: Patient


def upsert(*, system: str, number: str, said: Said, by: User, now: datetime) -> Upserted:
    """Create or bring up to date the one person behind a number of theirs. Safe to repeat and in any order.

    Known by the number, else by a document. Names, sex and birth dates that differ are refused. Leaves audit rows.
    Raises Invalid (422 by field), DocumentOfAnother, TwoPeople, PersonDiffers, PersonInactive.
    """
    records.refuse_bad(number=number, changed_at=said.changed_at, now=now)
    said, papers = _read(said, now=now)
    digest = records.digest_of({**asdict(said), "changed_at": None})
    with transaction.atomic():
        record = records.claim(system=system, kind=KIND, number=number)
        if result := records.seen_before(record, digest=digest, changed_at=said.changed_at, now=now):
            return Upserted(result, record.patient)
        patient, result = _person(record, said, papers, system=system, by=by, now=now)
        told = record.phone_told if record else ""
        records.remember(
            record, system=system, kind=KIND, number=number, patient=patient,
            phone_told=told if said.phone is None else identity.phone_hash(said.phone),
            digest=digest, changed_at=said.changed_at, now=now,
        )  # fmt: skip
        return Upserted(result, patient)


# ---- what was said ----


def _read(said: Said, *, now: datetime) -> tuple[Said, list[identity.Document]]:
    """Everything in its one written form. Raises Invalid with every field that is wrong."""
    problems: dict[str, list] = {}
    name = identity.read_name(said.name)
    if not name:
        problems["name"] = [_("不能为空。")]
    papers = []
    for place, (kind, number) in enumerate(said.documents):
        try:
            papers.append(identity.read_document(kind=kind, number=number))
        except identity.BadDocument as refusal:
            problems[f"documents.{place}.number"] = [refusal.sentence]
    phone = said.phone
    if phone:
        try:
            phone = identity.read_phone(phone)
        except identity.BadPhone as refusal:
            problems["phone"] = [refusal.sentence]
    problems |= _contradictions(said, papers, now=now)
    if problems:
        raise Invalid(problems)
    papers.sort(key=lambda paper: paper.hash)  # one order for all: two messages never wait for each other in a ring
    documents = tuple((paper.kind, paper.number) for paper in papers)
    read = {"name": name, "documents": documents, "phone": phone}
    read |= {"allergies": _texts(said.allergies), "problems": _texts(said.problems)}
    return Said(**{**said.__dict__, **read}), papers


def _contradictions(said: Said, papers: list[identity.Document], *, now: datetime) -> dict[str, list]:
    problems = {}
    births = {paper.birth_date for paper in papers} | {said.birth_date}
    if len(births - {None}) > 1:
        problems["birth_date"] = [_("与证件号码里的不一致。")]
    elif any(not 0 <= (clock.today(now) - born).days < 150 * 366 for born in births - {None}):
        problems["birth_date"] = [_("不可能是将来或 150 年以前。")]
    if len(({paper.sex for paper in papers} | {said.sex}) - {None, Patient.Sex.UNKNOWN}) > 1:
        problems["sex"] = [_("与证件号码里的不一致。")]
    return problems


def _texts(told: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(sorted({text.strip() for text in told} - {""}))


# ---- whom it means ----


def _person(record, said: Said, papers, *, system: str, by: User, now: datetime) -> tuple[Patient, Result]:
    owner = _owner(papers)
    patient = record.patient if record else owner
    if patient is None:
        try:
            patient = _register(said, by=by, now=now)
        except patients.AlreadyRegistered as known:  # in this very moment, under another number
            patient = Patient.objects.get(pk=known.details["patient"])
    result = Result.CREATED if record is None else Result.UPDATED
    patient = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    _refuse_another(patient, said, papers)
    told = record.phone_told if record else ""
    changed = _bring_up_to_date(patient, said, papers, system=system, told=told, by=by, now=now)
    detail = {"system": system, "changed": changed}
    audit.record(action="patient.received", actor=by, patient=patient, now=now, detail=detail)
    return patient, result


def _owner(papers: list[identity.Document]) -> Patient | None:
    """Who has these documents here. Raises TwoPeople."""
    kinds = {(paper.kind, paper.hash) for paper in papers}
    rows = PatientIdentifier.objects.filter(number_hash__in=[paper.hash for paper in papers])
    people = {row.patient_id: row.patient for row in rows.select_related("patient") if _key(row) in kinds}
    if len(people) > 1:
        raise TwoPeople
    return next(iter(people.values()), None)


def _key(row: PatientIdentifier) -> tuple[str, str]:
    return row.kind, row.number_hash


def _register(said: Said, *, by: User, now: datetime) -> Patient:
    if not said.documents:
        raise Invalid({"documents": [patients.MissingDocument().sentence]})
    return patients.register_patient(
        name=said.name,
        documents=list(said.documents),
        by=by,
        now=now,
        sex=said.sex or Patient.Sex.UNKNOWN,
        birth_date=said.birth_date,
        phone=said.phone or "",
        insurance=said.insurance or Patient.Insurance.NONE,
    )


def _refuse_another(patient: Patient, said: Said, papers: list[identity.Document]) -> None:
    """Raises PersonInactive, DocumentOfAnother, PersonDiffers."""
    if not patient.active:
        raise PersonInactive
    for paper in papers:
        row = PatientIdentifier.objects.filter(kind=paper.kind, number_hash=paper.hash).first()
        if row and row.patient_id != patient.pk:
            raise DocumentOfAnother(kind=str(row.get_kind_display()), last4=row.last4)
    if said.name != patient.name:
        raise PersonDiffers(what=_("姓名"))
    born = said.birth_date or next((paper.birth_date for paper in papers if paper.birth_date), None)
    if born and patient.birth_date and born != patient.birth_date:
        raise PersonDiffers(what=_("出生日期"))
    unknown = {None, "", Patient.Sex.UNKNOWN}
    if said.sex not in unknown and patient.sex not in unknown and said.sex != patient.sex:
        raise PersonDiffers(what=_("性别"))


# ---- bringing it up to date ----


def _bring_up_to_date(
    patient: Patient, said: Said, papers: list[identity.Document], *, system: str, told: str, by: User, now: datetime
) -> list[str]:
    """What was told and is new. `told`: the hash of the phone that they told before. The names of what changed."""
    fields = _fields(patient, said, papers, told=told)
    for name, value in fields.items():
        setattr(patient, name, value)
    if fields:
        patient.save(update_fields=list(fields))
    changed = [name for name in fields if name != "phone_hash"]
    known = {_key(row) for row in patient.identifiers.all()}
    new = [paper for paper in papers if (paper.kind, paper.hash) not in known]
    for paper in new:
        patients.add_document(patient=patient, kind=paper.kind, number=paper.number, by=by, now=now)
    changed += ["documents"] if new else []
    for kind, texts in ((Condition.Kind.ALLERGY, said.allergies), (Condition.Kind.PROBLEM, said.problems)):
        if texts is not None and _set_conditions(patient, kind, texts, system=system):
            changed.append(kind.value)
    return changed


def _fields(patient: Patient, said: Said, papers: list[identity.Document], *, told: str) -> dict:
    """A phone is theirs to change while ours is the one they told, or none: one that was proved, changed or cleared
    here since is never overwritten by what they had before."""
    wanted = {}
    phone = told if said.phone is None else identity.phone_hash(said.phone)
    if phone != told and patient.phone_hash in {told, ""}:
        wanted |= {"phone": said.phone, "phone_hash": phone}
    if said.insurance is not None:
        wanted["insurance"] = said.insurance
    born = said.birth_date or next((paper.birth_date for paper in papers if paper.birth_date), None)
    sex = said.sex or next((paper.sex for paper in papers if paper.sex), None)
    wanted |= {"birth_date": born or patient.birth_date}
    wanted |= {"sex": sex if sex and patient.sex == Patient.Sex.UNKNOWN else patient.sex}
    return {name: value for name, value in wanted.items() if getattr(patient, name) != value}


def _set_conditions(patient: Patient, kind: str, told: tuple[str, ...], *, system: str) -> bool:
    """A system's list is the whole of what it knows, never of what another one does or was noted here."""
    own = patient.conditions.filter(kind=kind, system=system)
    held = set(own.values_list("text", flat=True))
    own.filter(text__in=held - set(told)).delete()
    rows = [Condition(patient=patient, kind=kind, text=text, system=system) for text in told if text not in held]
    Condition.objects.bulk_create(rows, ignore_conflicts=True)
    return held != set(told)
