"""The one real person that a lower institution's system means (P10): found by a document, else registered."""

from datetime import date, datetime

from hospital import identity, patients
from hospital.integration.persons import PersonDiffers, PersonInactive
from hospital.models import Patient, User


def found_or_registered(
    *,
    name: str,
    document: tuple[str, str],
    by: User,
    now: datetime,
    sex: str = "",
    birth_date: date | None = None,
    phone: str = "",
) -> Patient:
    """`document`: (kind, number). Nobody is renamed: a document that belongs to somebody called otherwise is refused.

    Raises BadDocument, BadPhone, DocumentMismatch, ImpossibleBirthDate, PersonDiffers, PersonInactive.
    """
    kind, number = document
    known = patients.find_by_document(kind=kind, number=number)
    if known is None:
        return patients.register_patient(
            name=name, documents=[document], sex=sex, birth_date=birth_date, phone=phone, by=by, now=now
        )
    if not known.active:
        raise PersonInactive()
    if known.name != identity.read_name(name):
        raise PersonDiffers(what=Patient._meta.get_field("name").verbose_name)
    return known
