"""Refusals of referrals by name, one module a part; each has a code for machines and a sentence for people."""

from appointments.errors import AgreementEnded

from .admission import (
    AdmissionAskedAlready,
    AdmissionDayGone,
    AdmissionDepartmentClosed,
    AdmissionMissing,
    AdmissionNeedsReason,
    AdmissionNotNow,
    AdmissionOver,
    AdmissionReferralOver,
    AdmissionTooEarly,
    NeedThereAlready,
)
from .attachments import (
    AttachedAlready,
    AttachmentInfected,
    AttachmentNotScanned,
    AttachmentStays,
    AttachmentTooLong,
    TooManyAttachments,
)
from .down import (
    FollowedUpAlready,
    FollowUpDayGone,
    NotHereToGoDown,
    NothingToReferUpTo,
    NumberNotOfPlan,
    PlanDayGone,
    SentDownAlready,
    WorseNeedsNext,
)
from .green import GreenNotTaken, GreenTakenAlready
from .partner import NoNumberHeld, SignedElsewhere, SigningDates
from .referral import (
    AlreadyReferred,
    NeedsReason,
    NotTheirTurn,
    NumberOfAnother,
    ReceiverClosed,
    ReferralIncomplete,
    ReferralOver,
    SentBackAlready,
)

__all__ = [
    "AdmissionAskedAlready",
    "AdmissionDayGone",
    "AdmissionDepartmentClosed",
    "AdmissionMissing",
    "AdmissionNeedsReason",
    "AdmissionNotNow",
    "AdmissionOver",
    "AdmissionReferralOver",
    "AdmissionTooEarly",
    "AgreementEnded",
    "AlreadyReferred",
    "AttachedAlready",
    "AttachmentInfected",
    "AttachmentNotScanned",
    "AttachmentStays",
    "AttachmentTooLong",
    "FollowUpDayGone",
    "FollowedUpAlready",
    "GreenNotTaken",
    "GreenTakenAlready",
    "NeedThereAlready",
    "NeedsReason",
    "NoNumberHeld",
    "NotHereToGoDown",
    "NotTheirTurn",
    "NothingToReferUpTo",
    "NumberNotOfPlan",
    "NumberOfAnother",
    "PlanDayGone",
    "ReceiverClosed",
    "ReferralIncomplete",
    "ReferralOver",
    "SentBackAlready",
    "SentDownAlready",
    "SignedElsewhere",
    "SigningDates",
    "TooManyAttachments",
    "WorseNeedsNext",
]
