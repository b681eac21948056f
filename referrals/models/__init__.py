from .admission import AdmissionNeed, AdmissionRequest
from .care import CarePlan, FollowUp, GreenCall
from .referral import MOST_BYTES, MOVES, OVER, WAITS_FOR_RECEIVER, Attachment, Referral, ReferralEvent
from .rules import ReferralRule

__all__ = [
    "MOST_BYTES",
    "MOVES",
    "OVER",
    "WAITS_FOR_RECEIVER",
    "AdmissionNeed",
    "AdmissionRequest",
    "Attachment",
    "CarePlan",
    "FollowUp",
    "GreenCall",
    "Referral",
    "ReferralEvent",
    "ReferralRule",
]
