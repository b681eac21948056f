"""One index of real persons for all institutions: registering them once, finding them quickly."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from . import audit, clock, identity, masking, patient_index, pinyin
from .errors import Refused
from .models import Patient, PatientIdentifier, User

MOST_RESULTS = 20
HAN = re.compile(r"[\u3400-\u9fff]")


class AlreadyRegistered(Refused):
    """The document belongs to a person who is already here: nobody gets two records."""

    code = "already_registered"
    message = _("这个证件已建档：%(name)s，门诊号 %(medical_number)s。")
    next_step = _("请核对姓名后直接使用已有档案。")


class DocumentMismatch(Refused):
    code = "document_mismatch"
    status = 422
    message = _("%(what)s与证件号码里的不一致。")
    next_step = _("请对照证件更正后再建档。")


class MissingDocument(Refused):
    code = "missing_document"
    status = 422
    message = _("建档需要至少一种证件和姓名。")
    next_step = _("请出示身份证、护照或其他有效证件。")


class ImpossibleBirthDate(Refused):
    code = "impossible_birth_date"
    status = 422
    message = _("出生日期不可能是将来或 150 年以前。")
    next_step = _("请对照证件更正出生日期。")


class SwitchedOff(Refused):
    """Merged into another one, as a rule: the page was open before."""

    code = "record_switched_off"
    message = _("这份档案已停用，可能已并入另一份。")
    next_step = _("请重新查找这位患者，用现在的档案办理。")


def locked(pk: int) -> Patient:
    """The record for this transaction, to write something new on it. Raises SwitchedOff."""
    row = Patient.objects.select_for_update(no_key=True).get(pk=pk)
    if not row.active:
        raise SwitchedOff
    return row


def medical_numbers(count: int) -> list[str]:
    """The next medical numbers (门诊号). From a sequence: never used twice, gaps are harmless."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('hospital_medical_number') FROM generate_series(1, %s)", [count])
        return [f"M{number:08d}" for (number,) in cursor.fetchall()]


def register_patient(
    *,
    name: str,
    documents: list[tuple[str, str]],
    by: User | None,
    now: datetime,
    sex: str = Patient.Sex.UNKNOWN,
    birth_date: date | None = None,
    phone: str = "",
    insurance: str = Patient.Insurance.NONE,
    seen: bool = False,
    request=None,
) -> Patient:
    """Make a person's record (建档) with documents of (kind, number); `seen`: the desk holds them in hand.

    Sex and birth date come from a document that holds them. Leaves an audit row.
    Raises AlreadyRegistered, BadDocument, BadPhone, DocumentMismatch, ImpossibleBirthDate, MissingDocument.
    """
    name = identity.read_name(name)
    papers = [identity.read_document(kind=kind, number=number) for kind, number in documents]
    if not papers or not name:
        raise MissingDocument
    born, sex = facts_of(papers, sex=sex, birth_date=birth_date, now=now)
    phone = identity.read_phone(phone) if phone.strip() else ""
    sounds, initials = pinyin.of_person(name)
    with transaction.atomic():
        _refuse_known(papers)
        patient = Patient.objects.create(
            medical_number=medical_numbers(1)[0],
            name=name,
            pinyin=sounds,
            initials=initials,
            sex=sex or Patient.Sex.UNKNOWN,
            birth_date=born,
            phone=phone,
            phone_hash=identity.phone_hash(phone),
            insurance=insurance,
        )
        _attach(patient, papers, seen_at=now if seen else None)
        audit.record(action="patient.registered", actor=by, patient=patient, now=now, request=request)
        patient_index.find_for(patient, now=now)
    return patient


def facts_of(papers: list[identity.Document], *, sex: str, birth_date: date | None, now: datetime):
    """Birth date and sex, as papers and person agree; nobody is looked up. Raises DocumentMismatch,
    ImpossibleBirthDate."""
    born, sex = _agreed(papers, "birth_date", birth_date, _("出生日期")), _agreed(papers, "sex", sex, _("性别"))
    if born and not (0 <= (clock.today(now) - born).days < 150 * 366):
        raise ImpossibleBirthDate
    return born, sex


def add_document(
    *, patient: Patient, kind: str, number: str, by: User | None, now: datetime, seen: bool = False, request=None
) -> PatientIdentifier:
    """One more document of a person who is here already. Raises AlreadyRegistered, BadDocument, DocumentMismatch."""
    paper = identity.read_document(kind=kind, number=number)
    _agreed([paper], "birth_date", patient.birth_date, _("出生日期"))
    with transaction.atomic():
        _refuse_known([paper])
        row = _attach(patient, [paper], seen_at=now if seen else None)[0]
        audit.record(
            action="patient.document_added", actor=by, patient=patient, now=now, detail={"kind": kind}, request=request
        )
        patient_index.find_for(patient, now=now)
    return row


def find_by_document(*, kind: str, number: str) -> Patient | None:
    """The one person with this document. Raises BadDocument."""
    paper = identity.read_document(kind=kind, number=number)
    row = PatientIdentifier.objects.filter(kind=paper.kind, number_hash=paper.hash).select_related("patient").first()
    return row.patient if row else None


def _agreed(papers, what: str, told, label):
    """What the documents and the person at the desk say must be the same; 'unknown' agrees with everything."""
    known = {getattr(paper, what) for paper in papers} | {told}
    known -= {None, "", Patient.Sex.UNKNOWN}
    if len(known) > 1:
        raise DocumentMismatch(what=label)
    return known.pop() if known else None


def _refuse_known(papers: list[identity.Document]) -> None:
    for paper in papers:
        row = (
            PatientIdentifier.objects.filter(kind=paper.kind, number_hash=paper.hash).select_related("patient").first()
        )
        if row:
            raise AlreadyRegistered(
                name=masking.name(row.patient.name), medical_number=row.patient.medical_number, patient=row.patient_id
            )


def _attach(patient: Patient, papers: list[identity.Document], seen_at: datetime | None) -> list[PatientIdentifier]:
    try:
        with transaction.atomic():
            return [
                PatientIdentifier.objects.create(
                    patient=patient,
                    kind=paper.kind,
                    number=paper.number,
                    number_hash=paper.hash,
                    last4=paper.last4,
                    checked=paper.checked,
                    seen_at=seen_at,
                )
                for paper in papers
            ]
    except IntegrityError:  # registered at another desk in this very moment
        _refuse_known(papers)
        raise


@dataclass(frozen=True)
class Found:
    """A person in a list of results: masked, enough to tell two apart."""

    patient: Patient
    name: str
    phone: str
    documents: list[str]  # last four only

    @property
    def pk(self) -> int:
        return self.patient.pk


@dataclass(frozen=True)
class Results:
    people: list[Found]
    more: bool  # there are others: type more
    by: str  # document, phone, number, name, pinyin or nothing


def search(text: str) -> Results:
    """People by document, phone, medical number, name, pinyin or initials: at most 20, masked.

    Whole matches come before beginnings. Every branch is one index look-up, so it does not grow with the index.
    """
    by, exact, beginnings = _readings(text)
    people = list(_active(exact)[: MOST_RESULTS + 1]) if exact is not None else []
    if beginnings is not None and len(people) <= MOST_RESULTS:
        known = [patient.pk for patient in people]
        rest = _active(beginnings).exclude(pk__in=known)[: MOST_RESULTS + 1 - len(people)]
        people += sorted(rest, key=lambda patient: (patient.pinyin, patient.name, patient.pk))
    shown = people[:MOST_RESULTS]
    return Results(people=masked(shown), more=len(people) > MOST_RESULTS, by=by)


def masked(patients: list[Patient]) -> list[Found]:
    """The given people as a list may show them."""
    documents: dict[int, list[str]] = {}
    rows = PatientIdentifier.objects.filter(patient__in=[patient.pk for patient in patients]).order_by("pk")
    for patient_id, last4 in rows.values_list("patient", "last4"):
        documents.setdefault(patient_id, []).append(last4)
    return [
        Found(
            patient=patient,
            name=masking.name(patient.name),
            phone=masking.phone(patient.phone),
            documents=documents.get(patient.pk, []),
        )
        for patient in patients
    ]


def _active(condition: Q) -> QuerySet[Patient]:
    return Patient.objects.filter(condition, active=True)


def _readings(text: str) -> tuple[str, Q | None, Q | None]:
    """How a search text may be meant: its kind, the whole match, and the beginning of a match."""
    text = unicodedata.normalize("NFKC", text).strip()
    if HAN.search(text):
        name = identity.read_name(text)
        return "name", Q(name=name), Q(name__startswith=name)
    written = identity.one_form(text)
    if re.fullmatch(r"M\d{8,}", written):
        return "number", Q(pk__in=_numbered(written)), None
    if re.search(r"\d", written):
        return _by_digits(text, written)
    letters = re.sub(r"[^a-z]", "", text.lower().replace("ü", "v"))
    if len(letters) < 2:
        return "nothing", None, None
    exact = Q(initials=letters) | Q(pinyin=letters)
    return "pinyin", exact, Q(initials__startswith=letters) | Q(pinyin__startswith=letters)


def _by_digits(text: str, written: str) -> tuple[str, Q | None, Q | None]:
    try:
        phone = Q(phone_hash=identity.phone_hash(identity.read_phone(text)))
    except identity.BadPhone:
        phone = None
    if len(written) < 5:
        return "nothing", None, None
    # asked on its own: OR with a subquery would read every patient (37 ms at 200,000 instead of 0.2)
    document = Q(pk__in=_holders(written))
    return ("phone", phone | document, None) if phone is not None else ("document", document, None)


def _holders(written: str) -> list[int]:
    hashes = [identity.document_hash(kind, written) for kind in identity.Kind.values]
    return list(PatientIdentifier.objects.filter(number_hash__in=hashes).values_list("patient", flat=True))


def _numbered(written: str) -> list[int]:
    """The record with this 门诊号; where it was merged, the one that holds its rows now: papers keep the old number."""
    rows = Patient.objects.filter(medical_number=written).values_list("pk", "active")
    return [pk if active else patient_index.known_as(pk) for pk, active in rows]


def with_document(text: str) -> list[Patient]:
    """Whose document this is, of whatever kind: the whole number, nothing else finds anybody."""
    written = identity.one_form(text)
    return list(_active(Q(pk__in=_holders(written)))) if len(written) >= 5 else []


def with_medical_number(text: str) -> Patient | None:
    """The person with this 门诊号. It is counted up, so it says who is meant, never that it is them."""
    return _active(Q(pk__in=_numbered(identity.one_form(text)))).first()
