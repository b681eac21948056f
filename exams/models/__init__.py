from .catalogue import STEP, ExamGroup, ExamItem, ExamSet, ExamVariant, Modality, Preparation
from .devices import (
    Device,
    DeviceAbility,
    DeviceHours,
    DeviceReserve,
    DeviceSession,
    ExamZone,
    SessionWindow,
    StaffTeam,
    WalkingTime,
)
from .downtime import Downtime, DowntimeCase
from .reports import CriticalNotice, DiagnosticReport, ReportAccess, ReportLink, ReportVersion
from .requests import ContactNote, ExamBooking, ExamNoShow, ExamPlan, ExamRequest, RepeatCheck
from .rules import ExamRule, Follow, OrderingRule, ScreeningAnswer, ScreeningQuestion

__all__ = [
    "STEP",
    "ContactNote",
    "CriticalNotice",
    "Device",
    "DeviceAbility",
    "DeviceHours",
    "DeviceReserve",
    "DeviceSession",
    "DiagnosticReport",
    "Downtime",
    "DowntimeCase",
    "ExamBooking",
    "ExamGroup",
    "ExamItem",
    "ExamNoShow",
    "ExamPlan",
    "ExamRequest",
    "ExamRule",
    "ExamSet",
    "ExamVariant",
    "ExamZone",
    "Follow",
    "Modality",
    "OrderingRule",
    "Preparation",
    "RepeatCheck",
    "ReportAccess",
    "ReportLink",
    "ReportVersion",
    "ScreeningAnswer",
    "ScreeningQuestion",
    "SessionWindow",
    "StaffTeam",
    "WalkingTime",
]
