from .appointment import Appointment, NoShow, PatientSuspension, TeamReferral
from .imports import ImportLine, ImportRun
from .office import BulkAct, BulkChange, DraftLine, JobRun, LayoutDraft
from .rules import BookingRule, ChannelRule, ConsultLevelRule, SupplyRule, SupplyShare
from .schedule import Schedule, ScheduleParticipant, ScheduleTemplate
from .slot import NUMBER_KINDS, Allotment, PartnerGroup, Pool, Slot
from .stops import CallNote, StopCase, StopOffer, Substitution, Suspension
from .visit import Encounter
from .waitlist import WaitlistEntry, WaitlistOffer

__all__ = [
    "NUMBER_KINDS",
    "Allotment",
    "Appointment",
    "BookingRule",
    "BulkAct",
    "BulkChange",
    "CallNote",
    "ChannelRule",
    "ConsultLevelRule",
    "DraftLine",
    "Encounter",
    "ImportLine",
    "ImportRun",
    "JobRun",
    "LayoutDraft",
    "NoShow",
    "PartnerGroup",
    "PatientSuspension",
    "Pool",
    "Schedule",
    "ScheduleParticipant",
    "ScheduleTemplate",
    "Slot",
    "StopCase",
    "StopOffer",
    "Substitution",
    "SupplyRule",
    "SupplyShare",
    "Suspension",
    "TeamReferral",
    "WaitlistEntry",
    "WaitlistOffer",
]
