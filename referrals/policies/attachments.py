"""May this attachment be added, taken away, opened? Pure."""

from hospital.errors import Refused
from referrals import errors
from referrals.models import MOST_BYTES, Attachment, Referral, ReferralRule

MEGABYTE = 1024**2
Scan = Attachment.Scan


def most_bytes(rule: ReferralRule) -> int:
    """Of one file."""
    return min(rule.attachment_mb * MEGABYTE, MOST_BYTES)


def too_long(rule: ReferralRule) -> errors.AttachmentTooLong:
    """Also for an upload that was cut off on its way in."""
    return errors.AttachmentTooLong(limit=most_bytes(rule) // MEGABYTE)


def refusal_to_add(rule: ReferralRule, *, there: int) -> Refused | None:
    return errors.TooManyAttachments(limit=rule.attachments) if there >= rule.attachments else None


def refusal_to_remove(referral: Referral) -> Refused | None:
    return None if referral.status == Referral.Status.DRAFT else errors.AttachmentStays()


def refusal_to_open(attachment: Attachment, *, scanner: bool) -> Refused | None:
    """`scanner`: the house has one; then only what it found clean is opened."""
    if attachment.scan == Scan.INFECTED:
        return errors.AttachmentInfected()
    if scanner and attachment.scan != Scan.CLEAN:
        return errors.AttachmentNotScanned()
    return None
