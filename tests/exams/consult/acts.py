"""What the tests of the consult room's exams speak of."""

from datetime import timedelta

from exams.models import DiagnosticReport, ReportVersion, ScreeningAnswer, ScreeningQuestion
from exams.services import requesting
from exams.services.requesting import Asked
from tests.factories import (
    EncounterFactory,
    PatientFactory,
    PractitionerFactory,
    RoleFactory,
    RoomFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)
from tests.factories.base import NOW


def in_the_room():
    """A patient with a doctor, now."""
    user = StaffFactory(roles="doctor")
    schedule = open_schedule(role=RoleFactory(practitioner=PractitionerFactory(user=user)))
    appointment = appointment_row(schedule, PatientFactory(), status="arrived")
    return EncounterFactory(
        appointment=appointment,
        status="in_room",
        started_at=NOW - timedelta(minutes=3),
        room=RoomFactory(),
        practitioner=schedule.role.practitioner,
    )


def ask(encounter, *wanted, now=NOW, **more):
    """By the doctor of this encounter; a bare variant is asked for without further ado."""
    doctor = encounter.practitioner
    lines = [one if isinstance(one, Asked) else Asked(variant=one) for one in wanted]
    return requesting.request(
        patient=encounter.patient,
        wanted=lines,
        encounter=encounter,
        requester=doctor,
        by=doctor.user,
        now=now,
        **more,
    )


def released_report(patient, variant, *, days_ago=5, organization=None, now=NOW, conclusion="未见异常"):
    """A result that patients read since then."""
    at = now - timedelta(days=days_ago)
    report = DiagnosticReport.objects.create(
        organization=organization or variant.item.organization, patient=patient, variant=variant, performed_at=at
    )
    version = ReportVersion.objects.create(
        report=report, number=1, conclusion=conclusion, by=StaffFactory(), written_at=at, released_at=at
    )
    report.current, report.status, report.released_at = version, "released", at
    report.save()
    return report


def question(organization, *, code, text, answers, items=(), order=0, **more):
    """In force. `answers`: (code, text, effect, sentence) each."""
    row = ScreeningQuestion.objects.create(
        organization=organization,
        code=code,
        text=text,
        order=order,
        source="院内规定",
        approved_by=StaffFactory(),
        approved_at=NOW - timedelta(days=30),
        **more,
    )
    row.items.set(items)
    for place, (answer, words, effect, sentence) in enumerate(answers):
        ScreeningAnswer.objects.create(
            question=row, code=answer, text=words, effect=effect, sentence=sentence, order=place
        )
    return row


def pacemaker(*items):
    return question(
        items[0].organization,
        code="pacemaker",
        text="体内有心脏起搏器吗？",
        answers=[("no", "没有", "ok", ""), ("yes", "有", "refuse", "装有心脏起搏器，不能做磁共振。")],
        items=items,
    )
