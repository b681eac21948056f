"""X2: each invariant of the exams finds the row that breaks it, and a booked exam breaks none."""

from datetime import timedelta

import pytest

from appointments import invariants
from exams.models import DiagnosticReport, ExamBooking, ExamNoShow, ExamRequest, ReportVersion
from hospital.models import PatientTime
from tests.factories import NOW, ExamRequestFactory, StaffFactory, exam_booking_row

pytestmark = pytest.mark.django_db


def broken() -> set[str]:
    return {each.invariant.name for each in invariants.violations(now=NOW)}


@pytest.fixture
def row():
    row = exam_booking_row(request=ExamRequestFactory())
    times = {"source": "exam", "source_id": row.pk}
    PatientTime.objects.get_or_create(**times, defaults={"patient": row.patient, "during": row.stay})
    return row


def change(row, **more):
    ExamBooking.objects.filter(pk=row.pk).update(**more)


def test_a_booked_exam_breaks_none(row):
    assert broken() == set()


def test_each_finds_what_breaks_it(row):
    change(row, holds=False)
    assert broken() == {"exam_patient_time_is_held", "displaced_exam_is_asked_about"}
    PatientTime.objects.all().delete()
    change(row, holds=True)
    assert broken() == {"exam_holds_its_patient"}
    ExamRequest.objects.update(status="open")
    assert "exam_request_agrees_with_booking" in broken()


def test_those_of_an_end_and_of_a_report_find_it_too(row):
    held = exam_booking_row(
        request=ExamRequestFactory(), status="pending", confirmed_at=None, hold_until=NOW - timedelta(minutes=11)
    )
    ExamNoShow.objects.create(booking=row, patient=row.patient, day=row.day, marked_at=NOW)
    report = DiagnosticReport.objects.create(
        organization=row.device.organization, patient=row.patient, variant=row.variant, performed_at=NOW
    )
    said = {"conclusion": "危急", "critical": True, "by": StaffFactory(), "written_at": NOW, "released_at": NOW}
    ReportVersion.objects.create(report=report, number=1, **said)

    assert {"no_exam_hold_outlives_its_clock", "exam_noshow_agrees", "critical_value_has_a_notice"} <= broken()
    assert held.status == "pending"
