"""Refusals of referrals by name, one module a part; each has a code for machines and a sentence for people."""

from .referral import (
    AgreementEnded,
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
    "AgreementEnded",
    "AlreadyReferred",
    "NeedsReason",
    "NotTheirTurn",
    "NumberOfAnother",
    "ReceiverClosed",
    "ReferralIncomplete",
    "ReferralOver",
    "SentBackAlready",
]
