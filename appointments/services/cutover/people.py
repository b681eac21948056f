"""Rows of the sheet 就诊人: looked at in bulk before, and registered one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from appointments.services.cutover.verdicts import THERE, WAITING, Verdict, refused
from hospital import identity, patients
from hospital.api.errors import Invalid
from hospital.errors import Refused
from hospital.integration import persons, records
from hospital.models import ExternalRecord, PatientIdentifier, User
from hospital.workbook.cutover import PATIENTS
from hospital.workbook.sheet import Row

KIND = ExternalRecord.Kind.PATIENT


@dataclass(frozen=True)
class Person:
    """A row in its one written form."""

    name: str
    paper: identity.Document
    phone: str

    @property
    def key(self) -> tuple[str, str]:
        return self.paper.kind, self.paper.hash


def read(row: Row, *, now: datetime) -> Person | Verdict:
    """The person, or what is wrong with the row by itself."""
    name = identity.read_name(row.name)
    if not name:
        return refused("bad_name", _header("name"))
    try:
        records.refuse_bad(number=row.code, changed_at=now, now=now)
    except Invalid:
        return refused("bad_number", _header("code"))
    try:
        paper = identity.read_document(kind=row.kind, number=row.document)
    except identity.BadDocument:
        return refused("bad_document", _header("document"))
    try:
        phone = identity.read_phone(row.phone) if row.phone else ""
    except identity.BadPhone:
        return refused("bad_phone", _header("phone"))
    return _contradiction(row, paper, now=now) or Person(name, paper, phone)


def _contradiction(row: Row, paper: identity.Document, *, now: datetime) -> Verdict | None:
    try:
        patients.facts_of([paper], sex=row.sex or "", birth_date=row.birth_date, now=now)
    except patients.DocumentMismatch:
        header = "sex" if row.sex in {"M", "F"} and paper.sex not in {None, row.sex} else "birth_date"
        return refused("differs_from_document", _header(header))
    except patients.ImpossibleBirthDate:
        return refused("impossible_birth_date", _header("birth_date"))
    return None


@dataclass
class Index:
    """Who is known already, by document and by the other system's number: two queries for a whole file."""

    owners: dict[tuple[str, str], PatientIdentifier]
    numbers: dict[str, ExternalRecord]


def index_of(people: Iterable[Person], numbers: Iterable[str], *, system: str) -> Index:
    hashes = [person.paper.hash for person in people]
    papers = PatientIdentifier.objects.filter(number_hash__in=hashes).select_related("patient")
    known = ExternalRecord.objects.filter(system=system, kind=KIND, number__in=list(numbers)).select_related("patient")
    return Index({(row.kind, row.number_hash): row for row in papers}, {row.number: row for row in known})


def verdict(row: Row, person: Person, index: Index) -> Verdict:
    """Against the index of persons. Never renames anybody, never gives one document to two."""
    owner, record = index.owners.get(person.key), index.numbers.get(row.code)
    if record and owner and record.patient_id != owner.patient_id:
        return refused("document_of_another", _header("document"))
    if record and not owner:
        return refused("number_of_another", _header("code"))
    if owner is None:
        return WAITING
    patient = owner.patient
    if not patient.active:
        return refused("person_inactive", _header("code"))
    if patient.name != person.name or _differs(row, person, patient):
        return refused("person_differs", _header("name" if patient.name != person.name else "birth_date"))
    return THERE if record else WAITING


def _differs(row: Row, person: Person, patient) -> bool:
    born, sex = person.paper.birth_date or row.birth_date, person.paper.sex or row.sex
    unknown = {None, "", "U"}
    other_birth = born and patient.birth_date and born != patient.birth_date
    return bool(other_birth or (sex not in unknown and patient.sex not in unknown and sex != patient.sex))


def register(row: Row, person: Person, *, system: str, told_at: datetime, by: User, now: datetime) -> Verdict:
    """建档 or linked, by the same way as a patient that another system sends (O1). Raises Refused."""
    known = PatientIdentifier.objects.filter(kind=person.paper.kind, number_hash=person.paper.hash).exists()
    persons.upsert(
        system=system,
        number=row.code,
        said=persons.Said(
            name=person.name,
            changed_at=min(told_at, now),
            documents=((person.paper.kind, person.paper.number),),
            sex=row.sex,
            birth_date=row.birth_date,
            phone=person.phone or None,
            insurance=row.insurance,
        ),
        by=by,
        now=now,
    )
    return THERE if known else Verdict("imported")


def code_of(refusal: Refused) -> str:
    """What upsert said, in the words of this report."""
    return {
        persons.DocumentOfAnother.code: "document_of_another",
        persons.TwoPeople.code: "document_of_another",
        persons.PersonDiffers.code: "person_differs",
        persons.PersonInactive.code: "person_inactive",
    }.get(refusal.code, "other")


def _header(name: str) -> str:
    return PATIENTS.column(name).header
