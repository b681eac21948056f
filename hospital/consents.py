"""告知与同意 (O4): which version of which notice an account agreed to, for itself or for one person.

个人信息保护法: consent is informed and given by an act of one's own (article 14), can be taken back (15), is asked
separately for health data (29) and of the guardian of a child (31). A new version asks everybody again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import account_rules, audit, clock
from .addresses import client_address
from .errors import Refused
from .family_policies import is_child
from .models import Consent, Notice, Patient, User

PRIVACY, HEALTH, CHILD = Notice.Kind.PRIVACY, Notice.Kind.HEALTH, Notice.Kind.CHILD


class NotTheCurrentNotice(Refused):
    """The page was drawn before a new version came out: nobody agrees to what they have not seen."""

    code = "notice_changed"
    message = _("告知书刚刚更新了，还没有记录您的同意。")
    next_step = _("请阅读新的内容后再决定。")


def current(kind: str, *, now: datetime) -> Notice | None:
    """The version in force; None while the hospital has published none."""
    rows = Notice.objects.filter(kind=kind, published_on__lte=clock.today(now))
    return rows.order_by("-version").first()


def versions(kind: str, *, now: datetime) -> list[Notice]:
    """All that were ever in force, the newest first."""
    return list(Notice.objects.filter(kind=kind, published_on__lte=clock.today(now)).order_by("-version"))


def missing(account: User, patient: Patient, now: datetime) -> list[Notice]:
    """What must be agreed to before this account books for this person on the web: health data, and for a child the
    children's rules. Three queries."""
    return missing_for(account, [patient], now)[patient.pk]


def missing_for(account: User, patients: Iterable[Patient], now: datetime) -> dict[int, list[Notice]]:
    """The same for several people at once, by patient. Three queries however many they are."""
    patients, rule, day = list(patients), account_rules.in_force(now=now), clock.today(now)
    latest = _latest([HEALTH, CHILD], now=now)
    agreed = Consent.objects.filter(account=account, notice__in=latest.values(), withdrawn_at=None)
    pairs = set(agreed.values_list("patient", "notice"))
    lacking = {}
    for patient in patients:
        kinds = [HEALTH, CHILD] if is_child(patient.birth_date, rule=rule, day=day) else [HEALTH]
        wanted = [latest[kind] for kind in kinds if kind in latest]
        lacking[patient.pk] = [notice for notice in wanted if (patient.pk, notice.pk) not in pairs]
    return lacking


def privacy_missing(account: User, now: datetime) -> Notice | None:
    """The privacy notice that this account has not agreed to in its current version. Two queries."""
    notice = current(PRIVACY, now=now)
    if notice is None:
        return None
    agreed = Consent.objects.filter(account=account, notice=notice, patient=None, withdrawn_at=None)
    return None if agreed.exists() else notice


def _latest(kinds: list[str], *, now: datetime) -> dict[str, Notice]:
    rows = Notice.objects.filter(kind__in=kinds, published_on__lte=clock.today(now))
    return {row.kind: row for row in rows.order_by("kind", "version")}  # the later one stays


def give(*, account: User, notice: Notice, now: datetime, patient: Patient | None = None, request=None) -> Consent:
    """Record one consent to the version in force. Saying it twice is once. Raises NotTheCurrentNotice."""
    latest = current(notice.kind, now=now)
    if latest != notice:
        raise NotTheCurrentNotice
    try:
        with transaction.atomic():
            consent = Consent.objects.create(
                account=account, notice=notice, patient=patient, given_at=now, address=_address(request)
            )
            _trace("consent.given", consent, now=now, request=request)
    except IntegrityError:  # a double click
        return Consent.objects.get(account=account, notice=notice, patient=patient, withdrawn_at=None)
    return consent


@transaction.atomic
def withdraw(*, consent: Consent, now: datetime, request=None) -> None:
    """撤回: from now on. Older versions that were agreed to for the same purpose end with it. Twice is once."""
    same = Consent.objects.filter(
        account=consent.account_id, patient=consent.patient_id, notice__kind=consent.notice.kind, withdrawn_at=None
    )
    if _end(same, now=now):
        _trace("consent.withdrawn", consent, now=now, request=request)


def withdraw_all(*, account: User, now: datetime, patient: Patient | None = None) -> int:
    """Everything the account agreed to, or everything for one person: it is closed, or no longer books for them."""
    rows = Consent.objects.filter(account=account, withdrawn_at=None)
    return _end(rows.filter(patient=patient) if patient else rows, now=now)


def _end(rows: QuerySet[Consent], *, now: datetime) -> int:
    return rows.update(withdrawn_at=now)


def given_by(account: User) -> list[Consent]:
    """What holds now, account first, then by person."""
    rows = Consent.objects.filter(account=account, withdrawn_at=None).select_related("notice", "patient")
    return list(rows.order_by("patient__pk", "notice__kind", "-notice__version"))


def newest_of_each(consents: list[Consent]) -> list[Consent]:
    """One line a purpose and person: an older version that was also agreed to says nothing new."""
    seen: dict[tuple, Consent] = {}
    for consent in consents:
        seen.setdefault((consent.patient_id, consent.notice.kind), consent)
    return list(seen.values())


def _address(request) -> str | None:
    return client_address(request) if request is not None else None


def _trace(action: str, consent: Consent, *, now: datetime, request) -> None:
    detail = {"notice": consent.notice.kind, "version": consent.notice.version}
    audit.record(
        action=action,
        actor=consent.account,
        patient=consent.patient,
        subject=f"consent:{consent.pk}",
        detail=detail,
        now=now,
        request=request,
    )


@dataclass(frozen=True)
class Part:
    """A heading or a paragraph of a notice."""

    heading: bool
    text: str


@dataclass(frozen=True)
class Words:
    title: str
    parts: list[Part]


def words_of(notice: Notice) -> Words:
    """The notice in the reader's language."""
    english = (get_language() or "").startswith("en")
    text = notice.text_en if english else notice.text
    parts = []
    for paragraph in (piece.strip() for piece in text.split("\n\n")):
        if not paragraph:
            continue
        heading, _newline, body = paragraph.partition("\n")
        if heading.startswith("# "):
            parts.append(Part(heading=True, text=heading[2:]))
            parts += [Part(heading=False, text=body)] if body else []
        else:
            parts.append(Part(heading=False, text=paragraph))
    return Words(title=notice.title_en if english else notice.title, parts=parts)
