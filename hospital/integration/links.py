"""The signed link with which a doctor's workstation opens the consult room (docs/decisions/0013-beside-a-his.md).

It names doctor, patient and visit by the other system's own codes, runs out within a minute and opens once. Nothing
in it is believed before its signature holds.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from hospital.errors import Refused
from hospital.models import ExternalRecord, IntegrationKey, Organization, Patient, UsedLink

from . import signing

LIFE = timedelta(seconds=60)
"""The longest a link may be good for."""

SKEW = timedelta(seconds=5)
"""How far the two clocks may be apart."""

KEPT = timedelta(days=1)
"""Used links are kept longer than they could be good for: a clock that is set back opens nothing again."""

NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,64}")


class BadLink(Refused):
    """Malformed, forged, or signed with a key that does not hold: which of them is nobody's business."""

    code = "bad_link"
    status = 403
    message = _("这个链接无效，没有打开任何页面。")
    next_step = _("请回到医生工作站，从患者页面重新打开；多次出现请联系信息科。")


class LinkExpired(Refused):
    code = "link_expired"
    status = 403
    message = _("这个链接已过期。")
    next_step = _("请回到医生工作站重新打开；总是过期，请信息科核对两边的时钟。")


class LinkUsed(Refused):
    code = "link_used"
    status = 403
    message = _("这个链接已经打开过一次。")
    next_step = _("请回到医生工作站重新打开。")


class UnknownInLink(Refused):
    """A code of theirs that has no counterpart here."""

    code = "link_unknown"
    status = 404
    message = _("链接里的%(what)s在本系统没有登记。")
    next_step = _("请在医生工作站重新发送登记，或从诊间页面按姓名叫号；仍不行请联系信息科。")


@dataclass(frozen=True)
class Link:
    """A link whose signature held, in time and for the first time."""

    organization: Organization
    system: str
    doctor: str
    patient: str
    visit: str


def opened(fields: dict[str, str], *, now: datetime) -> Link:
    """Check a link and use it up. Commits the use by itself: whatever fails afterwards, it opens nothing again.

    Raises BadLink, LinkExpired, LinkUsed.
    """
    if not _well_formed(fields):
        raise BadLink
    key = _key_of(fields)
    if key is None:
        raise BadLink
    expires = datetime.fromtimestamp(int(fields["exp"]), UTC)
    if not now - SKEW <= expires <= now + LIFE + SKEW:
        raise LinkExpired
    _use(f"{fields['system']}\n{fields['nonce']}", expires=expires, now=now)
    said = {name: fields[name] for name in ("system", "doctor", "patient", "visit")}
    return Link(organization=key.organization, **said)


def _well_formed(fields: dict[str, str]) -> bool:
    names = {*signing.LINK_FIELDS, "signature"}
    return (
        set(fields) == names
        and all(VALUE.fullmatch(value) for value in fields.values())
        and bool(NONCE.fullmatch(fields["nonce"]))
        and bool(re.fullmatch(r"[1-9][0-9]{0,10}", fields["exp"]))
    )


def _key_of(fields: dict[str, str]) -> IntegrationKey | None:
    """The key that signed it. Several may hold while one is being changed."""
    keys = IntegrationKey.objects.filter(system=fields["system"], active=True, organization__active=True)
    for key in keys.select_related("organization").order_by("-pk"):
        if signing.is_signed_by(secret=key.secret, fields=fields, signature=fields["signature"]):
            return key
    return None


def _use(mark: str, *, expires: datetime, now: datetime) -> None:
    """Of two that come at once PostgreSQL lets one in. Only the digest is kept."""
    try:
        with transaction.atomic():
            UsedLink.objects.create(nonce=hashlib.sha256(mark.encode()).hexdigest(), used_at=now, expires_at=expires)
    except IntegrityError:
        raise LinkUsed from None


def patient_of(link: Link) -> Patient:
    """Whom their number means. Raises UnknownInLink."""
    row = _record(link, ExternalRecord.Kind.PATIENT, link.patient)
    if row is None:
        raise UnknownInLink(what=_("患者编号"))
    return row.patient


def subject_of(link: Link, patient: Patient) -> str:
    """What their visit is here ("appointment:17"); it must be this very patient's. Raises UnknownInLink."""
    row = _record(link, ExternalRecord.Kind.VISIT, link.visit)
    if row is None or not row.subject or row.patient_id != patient.pk:
        raise UnknownInLink(what=_("就诊编号"))
    return row.subject


def _record(link: Link, kind: str, number: str) -> ExternalRecord | None:
    rows = ExternalRecord.objects.filter(system=link.system, kind=kind, number=number)
    return rows.select_related("patient").first()


def forget_used(*, now: datetime) -> int:
    """Used links that ran out long ago."""
    count, _rows = UsedLink.objects.filter(expires_at__lt=now - KEPT).delete()
    return count
