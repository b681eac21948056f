from .account import (
    AccountPhone,
    AccountRule,
    CodeSent,
    Consent,
    DataRequest,
    KnownDevice,
    Notice,
    RelatedPerson,
    RetentionRule,
)
from .alliance import Agreement, SignedResident
from .audit import AuditEvent
from .contracts import Contract
from .integration import ExternalRecord, IntegrationKey, UsedLink, Webhook, WebhookDelivery
from .merging import DuplicateSuspect, MergedRow, PatientMerge
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
    "PatientMerge",
    "MergedRow",
    "DuplicateSuspect",
    "SignedResident",
    "Agreement",
    "AccountPhone",
    "AccountRule",
    "ApiToken",
    "AuditEvent",
    "CalendarDay",
    "Campus",
    "CareTeam",
    "CareTeamMember",
    "CodeSent",
    "Condition",
    "Consent",
    "Contract",
    "DataRequest",
    "Delivery",
    "Department",
    "ExternalRecord",
    "Fact",
    "GatewayReceipt",
    "HalfDay",
    "HalfDayHours",
    "HealthcareService",
    "IntegrationKey",
    "KnownDevice",
    "Message",
    "Notice",
    "Organization",
    "Patient",
    "PatientIdentifier",
    "PatientTime",
    "Practitioner",
    "PractitionerRole",
    "PriceItem",
    "RelatedPerson",
    "RetentionRule",
    "Role",
    "RoleAssignment",
    "RolePolicy",
    "Room",
    "UsedLink",
    "User",
    "Webhook",
    "WebhookDelivery",
]
