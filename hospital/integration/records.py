"""Whose record is ours: one row per number of theirs, and the rules of repeats and late arrivals.

A message that says what the last one said changes nothing. One that is older than what we hold is put aside, never
applied: messages overtake each other. Two about one number wait for each other.
"""

import json
import re
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import connection
from django.utils.translation import gettext_lazy as _

from hospital import clock, identity
from hospital.api.errors import Invalid
from hospital.errors import Refused
from hospital.fields import keyed_hash
from hospital.models import ExternalRecord, Patient

NUMBER = re.compile(r"[^\x00-\x20\x7f/]{1,64}")
AHEAD = timedelta(minutes=5)
"""How far their clock may be ahead. A stamp from next year would put aside every later message."""

CODES = (identity.Kind.ID_CARD, identity.Kind.RESIDENCE_PERMIT, identity.Kind.FOREIGN_PERMANENT)


class Result(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  # said before
    IGNORED = "ignored"  # older than what we hold


class UnknownPatient(Refused):
    """A visit of somebody whom they have not sent yet."""

    code = "unknown_patient"
    message = _("患者编号%(number)s还没有发送过。")
    next_step = _("请先发送这位患者，再发送就诊。")


def refuse_bad(*, number: str, changed_at: datetime, now: datetime) -> None:
    """Raises Invalid, by field."""
    problems = {}
    if not NUMBER.fullmatch(number):
        problems["number"] = [_("1 到 64 个字符，不能有空格和斜杠。")]
    elif _is_a_document(number):
        problems["number"] = [_("编号会写进地址和日志，不能用证件号码。")]
    if changed_at > now + AHEAD:
        problems["changed_at"] = [_("不能晚于现在；请核对两边的时钟。")]
    if problems:
        raise Invalid(problems)


def _is_a_document(number: str) -> bool:
    for kind in CODES:
        try:
            return bool(identity.read_document(kind=kind, number=number))
        except identity.BadDocument:
            continue
    return False


def claim(*, system: str, kind: str, number: str) -> ExternalRecord | None:
    """Their record, if we hold it; nobody else writes it until the end of the transaction, held or not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"external:{system}:{kind}:{number}"])
    rows = ExternalRecord.objects.filter(system=system, kind=kind, number=number)
    return rows.select_related("patient").first()


def patient_with(*, system: str, number: str) -> Patient:
    """Raises UnknownPatient."""
    rows = ExternalRecord.objects.filter(system=system, kind=ExternalRecord.Kind.PATIENT, number=number)
    row = rows.select_related("patient").first()
    if row is None:
        raise UnknownPatient(number=number)
    return row.patient


def digest_of(body: dict) -> str:
    """What a message said. Keyed: a document's number can't be guessed from it."""
    return keyed_hash("record", json.dumps(body, sort_keys=True, default=_plain, ensure_ascii=False))


def _plain(value) -> str:
    if isinstance(value, datetime):
        return value.astimezone(clock.ZONE).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def seen_before(record: ExternalRecord | None, *, digest: str, changed_at: datetime, now: datetime) -> Result | None:
    """UNCHANGED or IGNORED when there is nothing to do. Of a repeat only its newer time is kept."""
    if record is None:
        return None
    if changed_at < record.changed_at:
        return Result.IGNORED
    if digest != record.digest:
        return None
    if changed_at > record.changed_at:
        record.changed_at, record.received_at = changed_at, now
        record.save(update_fields=["changed_at", "received_at"])
    return Result.UNCHANGED


def remember(
    record: ExternalRecord | None, *, digest: str, changed_at: datetime, now: datetime, **who
) -> ExternalRecord:
    """`who`: system, kind, number, patient, and of a visit its subject, of a patient the hash of the phone told."""
    row = record or ExternalRecord(**who)
    row.subject = who.get("subject", row.subject)
    row.phone_told = who.get("phone_told", row.phone_told)
    row.digest, row.changed_at, row.received_at = digest, changed_at, now
    row.save()
    return row
