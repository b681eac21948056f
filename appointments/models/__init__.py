from .appointment import Appointment, NoShow, PatientSuspension, TeamReferral
from .rules import BookingRule, ChannelRule, ConsultLevelRule, SupplyRule, SupplyShare
from .schedule import Schedule, ScheduleParticipant, ScheduleTemplate
from .slot import Allotment, Pool, Slot
from .visit import Encounter

__all__ = [
    "Allotment",
    "Appointment",
    "BookingRule",
    "ChannelRule",
    "ConsultLevelRule",
    "Encounter",
    "NoShow",
    "PatientSuspension",
    "Pool",
    "Schedule",
    "ScheduleParticipant",
    "ScheduleTemplate",
    "Slot",
    "SupplyRule",
    "SupplyShare",
    "TeamReferral",
]
