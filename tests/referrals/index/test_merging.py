"""P10: two records become one and two again, exactly."""

from datetime import timedelta

import pytest
from django.db import connection

from appointments.errors import NoSuchPatient
from appointments.models import Appointment, Encounter
from appointments.services import booking, changes, visit
from exams.models import DiagnosticReport, ExamBooking, RepeatCheck
from exams.services import requesting
from hospital import patient_index, patients
from hospital.models import (
    AuditEvent,
    Condition,
    Fact,
    Patient,
    PatientIdentifier,
    PatientMerge,
    PatientTime,
    RelatedPerson,
    SignedResident,
)
from hospital.patient_index import errors
from hospital.patient_index.tables import columns
from referrals.services import signing, writing
from tests.booking.acts import take
from tests.factories import (
    NOW,
    TODAY,
    AccountFactory,
    CommunityFactory,
    DepartmentFactory,
    ExamRequestFactory,
    IdentifierFactory,
    PatientFactory,
    PractitionerFactory,
    ReferralFactory,
    RelatedPersonFactory,
    appointment_row,
    exam_booking_row,
    open_schedule,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def kept():
    return PatientFactory(name="周志明")


@pytest.fixture
def merged():
    return PatientFactory(name="周志铭", phone="")


def merge(kept, merged, by, now=NOW):
    return patient_index.merge(kept=kept, merged=merged, reason="同一身份证", by=by, now=now)


def undo(row, by, now=LATER):
    return patient_index.undo(merge=row, reason="认错了人", by=by, now=now)


def where() -> dict:
    """Every foreign key to a patient, row by row."""
    found = {}
    with connection.cursor() as cursor:
        for column in columns():
            cursor.execute(f'SELECT id, "{column.name}" FROM "{column.table}"')
            found |= {(column.table, column.name, pk): patient for pk, patient in cursor.fetchall()}
    return found


def somebody_with_a_life(patient, account):
    """Of most apps a row."""
    IdentifierFactory(patient=patient)
    RelatedPersonFactory(account=account, patient=patient)
    Condition.objects.create(patient=patient, kind="allergy", text="青霉素")
    take(open_schedule(), patient, channel="web", confirmed=True)
    appointment_row(open_schedule(day=TODAY), patient, number=2)
    exam_booking_row(request=ExamRequestFactory(patient=patient))
    ReferralFactory(patient=patient)
    SignedResident.objects.create(
        patient=patient, organization=CommunityFactory(), effective_from=TODAY, effective_to=TODAY
    )


def test_everything_hangs_on_the_kept_record_and_goes_back_row_by_row(kept, merged, clerk):
    account = AccountFactory()
    somebody_with_a_life(merged, account)
    Condition.objects.create(patient=kept, kind="allergy", text="花生")
    before = where()
    row = merge(kept, merged, clerk)
    assert merged.pk not in where().values()
    assert not Patient.objects.get(pk=merged.pk).active
    assert row.rows.count() == sum(1 for patient in before.values() if patient == merged.pk)
    assert {event.patient_id for event in AuditEvent.objects.filter(action="patient.merged")} == {kept.pk, merged.pk}
    undo(row, clerk)
    assert where() == before
    assert Patient.objects.get(pk=merged.pk).active
    assert list(Fact.objects.filter(key=f"patient:{kept.pk}").order_by("pk").values_list("topic", flat=True)) == [
        "patient.merged", "patient.unmerged",
    ]  # fmt: skip
    with pytest.raises(errors.UndoneAlready):
        undo(row, clerk)


def test_what_is_known_twice_stays_with_the_record_that_is_switched_off(kept, merged, clerk):
    account = AccountFactory()
    for person in (kept, merged):
        Condition.objects.create(patient=person, kind="allergy", text="青霉素")
        RelatedPersonFactory(account=account, patient=person)
    Condition.objects.create(patient=merged, kind="allergy", text="头孢")
    merge(kept, merged, clerk)
    assert sorted(kept.conditions.values_list("text", flat=True)) == ["头孢", "青霉素"]
    assert RelatedPerson.objects.filter(account=account, patient=kept).count() == 1


@pytest.mark.parametrize("gone_by", [False, True])
def test_two_bookings_at_one_hour_are_refused_while_they_are_to_come(kept, merged, clerk, gone_by):
    rows = [take(open_schedule(), person, channel="counter", confirmed=True) for person in (kept, merged)]
    now = NOW + timedelta(days=40) if gone_by else NOW
    if gone_by:
        merge(kept, merged, clerk, now=now)
        assert Appointment.objects.filter(patient=kept).count() == 2
        return
    with pytest.raises(errors.BothAtOnce) as refused:
        merge(kept, merged, clerk)
    assert "12月21日 08:00" in refused.value.sentence
    changes.cancel(appointment=rows[1], by=clerk, channel="counter", request_key=None, now=NOW)
    assert merge(kept, merged, clerk)


def test_what_one_person_has_once_a_day_is_refused_by_name_and_nothing_moves(kept, merged, clerk):
    schedule = open_schedule()
    IdentifierFactory(patient=merged)
    for number, person in enumerate((kept, merged), start=1):
        appointment_row(schedule, person, number=number, channel="web")
    with pytest.raises(errors.BothHave) as refused:
        merge(kept, merged, clerk)
    assert "预约" in refused.value.sentence
    assert PatientIdentifier.objects.get().patient_id == merged.pk
    assert not PatientMerge.objects.exists()


def test_two_referrals_to_one_department_are_refused_by_their_number(kept, merged, clerk):
    """The window can tell the referral office which one to end."""
    one, other = DepartmentFactory(code="D1"), DepartmentFactory(code="D2")
    ReferralFactory(patient=merged, department=other)
    ReferralFactory(patient=kept, department=one)
    theirs = ReferralFactory(patient=merged, department=one)
    with pytest.raises(errors.BothHave) as refused:
        merge(kept, merged, clerk)
    assert f"转诊单 {theirs.number}" in refused.value.sentence
    assert theirs.patient.referrals.count() == 2


def test_two_cards_that_were_seen_are_two_people(kept, merged, clerk):
    IdentifierFactory(patient=kept, seen_at=NOW)
    IdentifierFactory(patient=merged, number="440524188001010014", seen_at=NOW)
    with pytest.raises(errors.TwoPeople):
        merge(kept, merged, clerk)


def test_a_record_that_was_switched_off_books_nothing_and_its_number_finds_the_kept_one(kept, merged, clerk):
    merge(kept, merged, clerk)
    with pytest.raises(NoSuchPatient):
        take(open_schedule(), merged, channel="counter", confirmed=True)
    assert patients.with_medical_number(merged.medical_number) == kept
    assert [found.pk for found in patients.search(merged.medical_number).people] == [kept.pk]
    with pytest.raises(errors.NotTwoRecords):
        merge(kept, merged, clerk)


def test_what_grew_on_a_moved_visit_goes_back_with_it_and_what_is_new_stays(kept, merged, clerk):
    """The same person's check-in, and the hour that the booking was moved to."""
    today, ahead = open_schedule(day=TODAY), open_schedule(day=TODAY + timedelta(days=9))
    came = take(today, merged, channel="counter", number=8, confirmed=True)
    moved = take(ahead, merged, channel="counter", number=2, confirmed=True)
    row = merge(kept, merged, clerk)
    visit.check_in(appointment=Appointment.objects.get(pk=came.pk), by=clerk, now=LATER)
    booking.reschedule(
        appointment=Appointment.objects.get(pk=moved.pk), schedule=ahead, number=5, by=clerk, channel="counter",
        request_key=None, now=LATER,
    )  # fmt: skip
    new = take(open_schedule(day=TODAY + timedelta(days=12)), kept, channel="counter", confirmed=True)
    undo(row, clerk)
    assert set(Appointment.objects.filter(patient=merged)) == {came, moved}
    assert Encounter.objects.get().patient_id == merged.pk
    assert set(PatientTime.objects.filter(patient=merged).values_list("source_id", flat=True)) == {came.pk, moved.pk}
    assert Appointment.objects.get(patient=kept) == new


def test_merges_come_back_in_the_other_order(kept, merged, clerk):
    third = PatientFactory()
    exam = exam_booking_row(request=ExamRequestFactory(patient=merged))
    first = merge(kept, merged, clerk)
    second = merge(third, Patient.objects.get(pk=kept.pk), clerk)
    assert patient_index.known_as(merged.pk) == third.pk
    assert set(patient_index.records_of(third.pk)) == {third.pk, kept.pk, merged.pk}
    with pytest.raises(errors.MergedOnwards):
        undo(first, clerk)
    undo(second, clerk)
    undo(first, clerk)
    assert ExamBooking.objects.get(pk=exam.pk).patient_id == merged.pk


def test_nothing_new_is_written_on_a_record_that_was_switched_off(kept, merged, clerk):
    """A page that was open before: a referral, an admission, an exam."""
    request = ExamRequestFactory(patient=merged)
    merge(kept, merged, clerk)
    up = {"origin": CommunityFactory(), "receiver": request.organization, "direction": "up"}
    with pytest.raises(patients.SwitchedOff):
        writing.draft(patient=merged, by=clerk, now=NOW, **up)
    with pytest.raises(patients.SwitchedOff):
        requesting.want_by(requests=[request], day=TODAY)
    with pytest.raises(patients.SwitchedOff):
        signing.sign(
            patient=merged, organization=up["origin"], doctor=None, first=TODAY, last=TODAY, by=clerk, now=NOW
        )  # fmt: skip


def test_a_check_of_the_kept_one_that_read_the_others_report_stays(kept, merged, clerk):
    """What hangs on two rows goes back only where both do."""
    theirs = exam_booking_row(request=ExamRequestFactory(patient=merged))
    report = DiagnosticReport.objects.create(
        organization=theirs.request.organization, patient=merged, variant=theirs.request.variant, booking=theirs,
        performed_at=NOW,
    )  # fmt: skip
    row = merge(kept, merged, clerk)
    mine = ExamRequestFactory(patient=kept)
    said = {"variant": mine.variant, "by": PractitionerFactory(), "outcome": "went_on", "reason": "复查", "at": NOW}
    checks = [
        RepeatCheck.objects.create(patient=kept, report=report, request=request, **said)
        for request in (mine, theirs.request)
    ]
    undo(row, clerk)
    for check in checks:
        check.refresh_from_db()
    assert [check.patient_id for check in checks] == [kept.pk, merged.pk]
