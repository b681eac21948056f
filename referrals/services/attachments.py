"""附件: looked at, cleaned, kept under a random name outside the web root, scanned, opened only by both sides.

Locks: the referral. `now` is aware UTC.
"""

import hashlib
from datetime import datetime
from uuid import uuid4

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction

from hospital import audit, clock
from hospital.files import names, storing
from hospital.files.errors import FileLost
from hospital.files.told import told
from hospital.models import Organization, User
from referrals import errors
from referrals.models import Attachment, Referral
from referrals.models.referral import private_storage
from referrals.policies import attachments as policy
from referrals.policies.moves import Act
from referrals.selectors import rules, scope

from . import trail

log = structlog.get_logger(__name__)


def add(*, referral: Referral, upload: File, by: User, organization: Organization, now: datetime) -> Attachment:
    """Keep an upload with the referral; `organization` is the side that brings it. One that was sent says so on its
    trail. Publishes referral.attached {attachment}, not for a draft.

    Raises UnfitFile (AttachmentTooLong, NotAPdf), TooManyAttachments, AttachedAlready, NotTheirTurn, ReferralOver.
    """
    rule = rules.referral_rule(referral.receiver_id, day=clock.today(now))
    most = policy.most_bytes(rule)
    content = upload.read(most + 1)
    if len(content) > most:
        raise policy.too_long(rule)
    file = told(content)
    digest = hashlib.sha256(file.content).hexdigest()
    stored = ""
    try:
        with transaction.atomic():
            row = _open_to(referral, organization)
            _check_room(row, rule=rule, digest=digest)
            stored = private_storage().save(
                f"{clock.today(now):%Y/%m}/{uuid4().hex}{file.suffix}", ContentFile(file.content)
            )
            attachment = Attachment.objects.create(
                referral=row, name=names.cleaned(upload.name or "", suffix=file.suffix), kind=file.kind,
                size=len(file.content), digest=digest, file=stored, organization=organization, by=by, added_at=now,
                scan=Attachment.Scan.WAITING if settings.SCANNER_COMMAND else Attachment.Scan.UNSCANNED,
            )  # fmt: skip
            _leave_a_trace("attached", attachment, by=by, now=now)
    except BaseException:
        if stored:
            private_storage().delete(stored)
        raise
    return attachment


def remove(*, attachment: Attachment, by: User | None, now: datetime) -> Attachment:
    """Out of a draft: the file is gone for good, the row stays. Twice is once. Raises AttachmentStays."""
    with transaction.atomic():
        referral = trail.locked(attachment.referral_id)
        row = Attachment.objects.select_for_update(no_key=True).get(pk=attachment.pk)
        if row.removed_at:
            return row
        if refusal := policy.refusal_to_remove(referral):
            raise refusal
        row.removed_at = now
        row.save(update_fields=["removed_at"])
        row.referral = referral
        _leave_a_trace("attachment_removed", row, by=by, now=now)
        transaction.on_commit(lambda: private_storage().delete(row.file.name), robust=True)
    return row


def opened(*, attachment: Attachment, by: User, now: datetime, request=None) -> bytes:
    """The bytes, for whoever may see the referral. Leaves a row of who opened what.

    Raises AttachmentNotScanned, AttachmentInfected, FileLost.
    """
    if refusal := policy.refusal_to_open(attachment, scanner=bool(settings.SCANNER_COMMAND)):
        unscanned = Attachment.objects.filter(pk=attachment.pk, scan=Attachment.Scan.UNSCANNED)
        unscanned.update(scan=Attachment.Scan.WAITING)  # it came before there was a scanner: now it is looked at
        raise refusal
    try:
        content = storing.content_of(private_storage(), attachment.file.name, digest=attachment.digest)
    except FileLost:
        log.error("attachment_lost", attachment=attachment.pk)
        raise
    audit.record(
        action="referral.attachment.opened", actor=by, now=now, patient=attachment.referral.patient,
        subject=f"attachment:{attachment.pk}", detail={"referral": attachment.referral_id}, request=request,
    )  # fmt: skip
    return content


def clean_up(*, now: datetime) -> int:
    """Stored files that no attachment speaks of, or only one that was removed. Safe to repeat; how many went."""
    return storing.sweep(private_storage(), known=_spoken_of, now=now)


def _spoken_of(stored: list[str]) -> set[str]:
    return set(Attachment.objects.filter(file__in=stored, removed_at=None).values_list("file", flat=True))


def _open_to(referral: Referral, organization: Organization) -> Referral:
    row = trail.locked(referral.pk)
    trail.may(row, Act.ATTACH, scope.side_of(row, frozenset({organization.pk})))
    return row


def _check_room(referral: Referral, *, rule, digest: str) -> None:
    there = list(Attachment.objects.filter(referral=referral, removed_at=None))
    if same := next((row for row in there if row.digest == digest), None):
        raise errors.AttachedAlready(name=same.name)
    if refusal := policy.refusal_to_add(rule, there=len(there)):
        raise refusal


def _leave_a_trace(what: str, attachment: Attachment, *, by: User | None, now: datetime) -> None:
    """What was sent is followed by both sides on the trail; a draft is its writer's own."""
    referral, detail = attachment.referral, {"attachment": attachment.pk}
    if referral.status != Referral.Status.DRAFT:
        trail.step(
            referral, trail.Kind.ATTACHED, by=by, organization_id=attachment.organization_id, now=now,
            text=attachment.name, detail=detail,
        )  # fmt: skip
        return
    audit.record(
        action=f"referral.{what}", actor=by, patient=referral.patient, subject=f"referral:{referral.pk}",
        detail=detail, now=now,
    )  # fmt: skip
