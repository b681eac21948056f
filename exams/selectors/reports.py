"""What pages ask about reports: what waits to be written, what a family may read, who read, what is critical."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from exams.models import CriticalNotice, DiagnosticReport, ExamBooking, ReportAccess, ReportVersion
from hospital import clock, family, patients
from hospital.models import Patient, PractitionerRole, User

Status = DiagnosticReport.Status

LATELY = timedelta(days=90)
"""What waits is listed so far back; older ones on demand: a house may do exams whose results never come here."""

SHOWN = timedelta(days=30)
"""Released ones are listed so far back, unless one person is asked for by number or document, or older ones are."""

RELATED = ("patient", "variant__item", "organization", "booking__device", "current__by")


def one_person(text: str) -> list[Patient]:
    """Whom a medical number or a whole document number means."""
    found = patients.with_medical_number(text) if text[:1].upper() == "M" else None
    return [found] if found else patients.with_document(text)


def whose_name(text: str, known: list[Patient]) -> Q:
    """A search word over rows with `patient` and `variant`: a number, name, pinyin, initials, exam."""
    word = text.strip()
    if not word:
        return Q()
    if known:
        return Q(patient__in=known)
    return (
        Q(patient__name__startswith=word)
        | Q(patient__pinyin__startswith=word.lower())
        | Q(patient__initials=word.lower())
        | Q(variant__item__name__contains=word)
    )


def unwritten(organizations: frozenset[int], *, modality: str, text: str, older: bool, now: datetime) -> QuerySet:
    """Done exams without a report, who waits longest first."""
    rows = ExamBooking.objects.filter(
        ~Exists(DiagnosticReport.objects.filter(booking=OuterRef("pk"))),
        whose_name(text, known := one_person(text)),
        status=ExamBooking.Status.DONE,
        variant__item__organization__in=organizations,
    )
    rows = rows if older or known else rows.filter(day__gte=clock.today(now) - LATELY)
    rows = rows.filter(variant__item__modality=modality) if modality else rows
    return rows.select_related("patient", "variant__item", "device", "request__requester").order_by("finished_at", "pk")


def of_house(organizations: frozenset[int]) -> QuerySet:
    """Reports that staff of these houses may see: of their own exams, and of partners' entered for their catalogue."""
    return DiagnosticReport.objects.filter(variant__item__organization__in=organizations)


def listed(
    organizations: frozenset[int], *, status: str, modality: str, text: str, older: bool, now: datetime
) -> QuerySet:
    rows = of_house(organizations).filter(whose_name(text, known := one_person(text)), status=status)
    if status == Status.RELEASED and not older and not known:
        rows = rows.filter(released_at__gte=now - SHOWN)
    rows = rows.filter(variant__item__modality=modality) if modality else rows
    rows = rows.prefetch_related("versions__by") if status == Status.DRAFT else rows
    order = ("-pk",) if status == Status.DRAFT else ("-released_at", "-pk")
    return rows.select_related(*RELATED).order_by(*order)


def versions_of(report: DiagnosticReport) -> list[ReportVersion]:
    return list(report.versions.select_related("by", "released_by").order_by("-number"))


def range_names(variant_id: int) -> list[dict]:
    """Names, units and ranges as the last released report of this exam had them: what a form begins with."""
    last = DiagnosticReport.objects.filter(variant=variant_id, status=Status.RELEASED).exclude(current__measurements=[])
    kept = last.order_by("-pk").values_list("current__measurements", flat=True).first() or []
    return [{name: row.get(name, "") for name in ("name", "unit", "low", "high")} for row in kept]


def readable(account: User) -> QuerySet:
    """检查报告 of the account's people: released or withdrawn, never a draft. Of a person whom the account only
    registered itself, just those of exams that it booked."""
    own = Q(booking__by=account)
    rows = DiagnosticReport.objects.filter(family.seen(account, own=own), current__isnull=False)
    return rows.filter(status__in=[Status.RELEASED, Status.WITHDRAWN]).select_related(
        "patient", "variant__item", "organization", "current__by", "current__released_by"
    )


def accesses(report: DiagnosticReport) -> QuerySet:
    """阅读记录, the latest first."""
    rows = ReportAccess.objects.filter(version__report=report).select_related("version", "user", "link")
    return rows.order_by("-at", "-pk")


# ---- critical values ----


@dataclass(frozen=True)
class Reader:
    """Whose list of critical values: a doctor's own, the department's once escalated; an office's the whole house."""

    user: User
    houses: frozenset[int]  # where the reader sees all
    rooms: frozenset[int]  # where the reader is a doctor or a ward


def notices(reader: Reader) -> QuerySet:
    practitioner = getattr(reader.user, "practitioner", None)
    mine = Q(version__report__variant__item__organization__in=reader.houses)
    mine |= Q(version__report__variant__item__organization__in=reader.rooms, doctor=None)
    if practitioner is not None:
        departments = PractitionerRole.objects.filter(practitioner=practitioner, active=True).values("department")
        mates = PractitionerRole.objects.filter(department__in=departments, active=True).values("practitioner")
        mine |= Q(doctor=practitioner) | Q(doctor__in=mates, escalated_at__isnull=False)
    return CriticalNotice.objects.filter(mine).select_related(
        "doctor", "acknowledged_by", "version__report__patient", "version__report__variant__item"
    )


def open_notices(reader: Reader) -> QuerySet:
    return notices(reader).filter(acknowledged_at=None).order_by("due_at", "pk")


def for_the_doctor(user: User) -> QuerySet:
    """What the consult page shows: the doctor's own, and the department's that nobody answered."""
    return open_notices(Reader(user=user, houses=frozenset(), rooms=frozenset()))
