"""Refusals of exams by name, one module a part; each has a code for machines and a sentence for people."""

from .booking import (
    AgainstTheOrder,
    AlreadyBookedExam,
    ExamsSuspended,
    HoldEnded,
    NoExamPrice,
    NotAnswered,
    NotFree,
    NotPossible,
    PatientBusy,
    TimeTaken,
    TooLateForExam,
    WrongExamState,
)

__all__ = [
    "AgainstTheOrder",
    "AlreadyBookedExam",
    "ExamsSuspended",
    "HoldEnded",
    "NoExamPrice",
    "NotAnswered",
    "NotFree",
    "NotPossible",
    "PatientBusy",
    "TimeTaken",
    "TooLateForExam",
    "WrongExamState",
]
