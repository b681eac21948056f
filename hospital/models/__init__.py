from .audit import AuditEvent
from .outbox import Delivery, Fact, GatewayReceipt, Message
from .people import (
    CareTeam,
    CareTeamMember,
    Condition,
    Patient,
    PatientIdentifier,
    Practitioner,
    PractitionerRole,
    Role,
    RoleAssignment,
    RolePolicy,
    User,
)
from .places import Campus, Department, HealthcareService, Organization, PriceItem, Room
from .time import CalendarDay, HalfDay, HalfDayHours, PatientTime
from .token import ApiToken

__all__ = [
    "ApiToken",
    "AuditEvent",
    "CalendarDay",
    "Campus",
    "CareTeam",
    "CareTeamMember",
    "Condition",
    "Delivery",
    "Department",
    "Fact",
    "GatewayReceipt",
    "HalfDay",
    "HalfDayHours",
    "HealthcareService",
    "Message",
    "Organization",
    "Patient",
    "PatientIdentifier",
    "PatientTime",
    "Practitioner",
    "PractitionerRole",
    "PriceItem",
    "Role",
    "RoleAssignment",
    "RolePolicy",
    "Room",
    "User",
]
