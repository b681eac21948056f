"""The files of a referral, as both sides see them."""

from referrals.models import Attachment, Referral


def of_referral(referral: Referral) -> list[Attachment]:
    rows = Attachment.objects.filter(referral=referral, removed_at=None)
    return list(rows.select_related("organization").order_by("pk"))
