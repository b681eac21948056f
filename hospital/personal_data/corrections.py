"""更正 (个人信息保护法 article 46): at the window, the document in hand; the row as it was stays in the history."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from hospital import audit, clock, identity, patient_index, pinyin
from hospital.errors import Refused
from hospital.models import Patient, User
from hospital.patients import DocumentMismatch, ImpossibleBirthDate


class DocumentNotSeen(Refused):
    code = "document_not_seen"
    status = 422
    message = _("更正资料前必须核验证件原件。")
    next_step = _("请核对证件后勾选“已核验证件原件”。")


class NameMissing(Refused):
    code = "name_missing"
    status = 422
    message = _("姓名不能为空。")
    next_step = _("请按证件上的姓名填写。")


@transaction.atomic
def correct(
    *,
    patient: Patient,
    name: str,
    sex: str,
    birth_date: date | None,
    seen: bool,
    by: User,
    now: datetime,
    special: str | None = None,
    request=None,
) -> list[str]:
    """Write what the document says. Returns the names of the fields that changed; the trail gets them, no values.
    `special`: 优待 by a document that was seen, too; None leaves it.

    The phone has its own way (accounts.give_phone).
    Raises DocumentMismatch, DocumentNotSeen, ImpossibleBirthDate, NameMissing.
    """
    if not seen:
        raise DocumentNotSeen
    patient = Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    name = identity.read_name(name)
    if not name:
        raise NameMissing
    if birth_date and not (0 <= (clock.today(now) - birth_date).days < 150 * 366):
        raise ImpossibleBirthDate
    _agree_with_documents(patient, sex=sex, birth_date=birth_date)
    told = {"name": name, "sex": sex, "birth_date": birth_date}
    told |= {} if special is None else {"special": special}
    changed = sorted(field for field, value in told.items() if getattr(patient, field) != value)
    if not changed:
        return []
    for field, value in told.items():
        setattr(patient, field, value)
    patient.pinyin, patient.initials = pinyin.of_person(name)
    patient.save()
    audit.record(
        action="patient.corrected", actor=by, patient=patient, detail={"fields": changed}, now=now, request=request
    )
    patient_index.find_for(patient, now=now)
    return changed


def _agree_with_documents(patient: Patient, *, sex: str, birth_date: date | None) -> None:
    """An identity card holds birth date and sex: nothing else may be written beside it."""
    for row in patient.identifiers.filter(checked=True):
        paper = identity.read_document(kind=row.kind, number=row.number)
        if paper.birth_date and paper.birth_date != birth_date:
            raise DocumentMismatch(what=_("出生日期"))
        if paper.sex and paper.sex != sex:
            raise DocumentMismatch(what=_("性别"))
