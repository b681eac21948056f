"""Is a referral ready to be sent? Pure."""

from django.utils.translation import gettext as _

from hospital.errors import Refused
from referrals import errors
from referrals.models import Referral

NEEDED = ("reason", "diagnosis", "history", "consent")


def missing(referral: Referral) -> dict[str, list[str]]:
    """Field → what to write there. A referral up names a department; one in a hurry may do without a history."""
    needed = [name for name in NEEDED if name != "history" or referral.urgency == Referral.Urgency.ROUTINE]
    if referral.direction == Referral.Direction.UP:
        needed.append("department")
    return {name: [str(_("请填写。"))] for name in needed if not getattr(referral, name)}


def refusal_to_send(referral: Referral, *, agreed: bool, guarded_until: int = 0) -> Refused | None:
    """`agreed`: an agreement between the two holds today, or none was ever needed. `guarded_until`: the age until
    which somebody else consents for this patient, 0 for an adult."""
    if not agreed:
        higher, lower = referral.receiver, referral.origin
        if referral.direction == Referral.Direction.DOWN:
            higher, lower = lower, higher
        return errors.AgreementEnded(hospital=higher.name, member=lower.name)
    if gaps := missing(referral):
        names = "、".join(str(Referral._meta.get_field(name).verbose_name) for name in gaps)
        refused = errors.ReferralIncomplete(missing=names)
        refused.fields = gaps
        return refused
    if guarded_until and referral.consent == Referral.Consent.PATIENT:
        refused = errors.ChildCannotConsent(age=guarded_until)
        refused.fields = {"consent": [str(_("请由监护人同意。"))]}
        return refused
    return refusal_of_place(referral)


def refusal_of_place(referral: Referral) -> Refused | None:
    """A department that closed, a doctor who left, a team that was dissolved."""
    places = [referral.department, referral.role, referral.team]
    closed = next((place for place in places if place is not None and not place.active), None)
    return errors.ReceiverClosed(place=str(closed)) if closed else None
