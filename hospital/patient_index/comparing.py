"""Two records side by side, masked: enough to see whether they are one person, no more."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hospital import clock, masking
from hospital.models import Patient, PatientIdentifier

from .merging import refusal_to_merge
from .tables import weights


@dataclass(frozen=True)
class Side:
    """One record as the page may show it."""

    patient: Patient
    name: str
    hangs: list[tuple[str, int]]  # what a merge would move, by name
    documents: list[PatientIdentifier]


@dataclass(frozen=True)
class Row:
    """One line; `same` says what the masks hide. None: one of the two knows nothing."""

    label: str
    first: str
    second: str
    same: bool | None


@dataclass(frozen=True)
class Pair:
    first: Side
    second: Side
    rows: list[Row]
    refusal: object  # why they can't be merged as they are


def compare(first: Patient, second: Patient, *, now: datetime) -> Pair:
    one, two = _side(first), _side(second)
    rows = [
        _row(_("姓名"), (one.name, two.name), (first.name, second.name)),
        _row(_("性别"), (first.get_sex_display(), second.get_sex_display()), _known_sex(first, second)),
        _row(_("出生日期"), (_day(first.birth_date), _day(second.birth_date)), (first.birth_date, second.birth_date)),
        _row(_("手机"), (masking.phone(first.phone), masking.phone(second.phone)), (first.phone, second.phone)),
        _row(
            _("医保"),
            (first.get_insurance_display(), second.get_insurance_display()),
            (first.insurance, second.insurance),
        ),
        Row(_("建档"), _moment(first.registered_at), _moment(second.registered_at), None),
    ]
    return Pair(one, two, rows, refusal_to_merge(first, second, now=now))


def _side(patient: Patient) -> Side:
    papers = list(PatientIdentifier.objects.filter(patient=patient).order_by("pk"))
    return Side(patient, masking.name(patient.name), weights(patient), papers)


def _row(label: str, shown: tuple[str, str], values: tuple) -> Row:
    one, two = values
    return Row(label, shown[0], shown[1], None if one in (None, "") or two in (None, "") else one == two)


def _known_sex(first: Patient, second: Patient) -> tuple[str, str]:
    return tuple("" if each.sex == Patient.Sex.UNKNOWN else each.sex for each in (first, second))


def _day(day) -> str:
    return date_format(day, "Y-m-d") if day else ""


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%Y-%m-%d}"
