"""E7: a result is registered, released, corrected, withdrawn; nothing released ever changes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction

from exams import errors
from exams.models import CriticalNotice, DiagnosticReport, ReportVersion
from exams.policies import reports as policy
from exams.services import reports as service
from exams.services.reports import Says, files
from hospital.files.errors import NotAPdf
from hospital.models import AuditEvent, Fact
from tests.factories import NOW, OrganizationFactory, PatientFactory, exam_variant

from . import scenes

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


def facts():
    return list(Fact.objects.filter(key__startswith="report:").order_by("id").values_list("topic", flat=True))


def stored(shelf):
    return sorted(path.name for path in shelf.rglob("*.pdf")) if shelf.exists() else []


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        ("58", "115", "150", "low"),
        ("115", "115", "150", ""),
        ("150", "115", "150", ""),
        ("150.01", "115", "150", "high"),
        ("５．６", "", "5.5", "high"),
        ("-1", "0", "", "low"),
        ("阴性", "0", "1", ""),
        ("<0.5", "1", "2", ""),
        ("1e9", "0", "1", ""),
        ("7", "", "", ""),
        ("7", "x", "y", ""),
    ],
)
def test_a_value_is_flagged_against_its_range_whose_ends_are_normal(value, low, high, said):
    assert policy.flag(value, low, high) == said


def test_a_result_is_a_draft_until_it_is_released_and_then_it_stays():
    """E7"""
    booking, writer, reader = scenes.done_exam(), scenes.reporter(), scenes.reporter()
    version = service.register(booking=booking, says=scenes.SAYS, by=writer, now=NOW)
    report = DiagnosticReport.objects.get(booking=booking)
    assert (report.status, report.current, facts()) == ("draft", None, [])
    assert report.performed_at == booking.finished_at

    service.release(version=version, by=reader, now=LATER)

    report.refresh_from_db()
    assert (report.status, report.current_id, report.released_at) == ("released", version.pk, LATER)
    assert [row["flag"] for row in report.current.measurements] == ["low", "high"]
    assert facts() == ["report.released"]
    said = AuditEvent.objects.filter(subject=f"report:{report.pk}").order_by("id")
    assert list(said.values_list("action", "actor")) == [
        ("report.registered", writer.pk),
        ("report.released", reader.pk),
    ]


@pytest.mark.parametrize("status", ["booked", "running"])
def test_only_what_was_examined_has_a_result(status):
    booking = scenes.done_exam(status=status)
    with pytest.raises(errors.ExamNotDone):
        scenes.draft(booking)


def test_an_exam_has_one_report():
    booking = scenes.done_exam()
    first = scenes.draft(booking)
    with pytest.raises(errors.ReportExists) as refused:
        scenes.draft(booking)
    assert refused.value.details == {"report": first.report_id}


def test_a_partners_result_needs_no_booking_but_a_moment_that_can_be():
    partner, patient, variant = OrganizationFactory(code="P9", name="城东医院"), PatientFactory(), exam_variant()
    said = {"patient": patient, "variant": variant, "organization": partner, "says": scenes.SAYS}
    for wrong in (NOW + timedelta(minutes=1), NOW.replace(year=1958)):
        with pytest.raises(errors.NotExaminedYet):
            service.register(**said, performed_at=wrong, by=scenes.reporter(), now=NOW)

    version = service.register(**said, performed_at=NOW - timedelta(days=3), by=scenes.reporter(), now=NOW)

    assert (version.report.organization, version.report.booking) == (partner, None)
    with pytest.raises(errors.ReportExists) as twice:  # pressed twice, or two who had the same paper
        service.register(**said, performed_at=NOW - timedelta(days=3), by=scenes.reporter(), now=NOW)
    assert twice.value.details["report"] == version.report_id
    service.withdraw(report=version.report, reason="录错", by=version.by, now=NOW)
    service.register(**said, performed_at=NOW - timedelta(days=3), by=scenes.reporter(), now=NOW)


def test_an_empty_report_is_never_released():
    with pytest.raises(errors.ReportSaysNothing):
        scenes.released(says=Says(findings="只有所见"))


def test_a_draft_is_revised_until_it_is_released_and_not_over_what_another_wrote():
    version, other = scenes.draft(), scenes.reporter()
    seen = policy.mark(version)
    revised = service.revise(version=version, says=Says(conclusion="新的"), by=other, now=LATER, seen=seen)
    assert revised.conclusion == "新的"

    with pytest.raises(errors.ReportChanged) as refused:
        service.revise(version=version, says=Says(conclusion="我的"), by=version.by, now=LATER, seen=seen)
    assert refused.value.details == {"who": str(other)}
    with pytest.raises(errors.ReportChanged):
        service.release(version=version, by=version.by, now=LATER, seen=seen)

    service.release(version=version, by=other, now=LATER, seen=policy.mark(revised))
    with pytest.raises(errors.AlreadyReleased):
        service.revise(version=version, says=Says(conclusion="晚了"), by=other, now=LATER)


def test_a_release_pressed_twice_is_one_and_another_hears_who_was_first():
    version = scenes.released(by=(first := scenes.reporter()))
    service.release(version=version, by=first, now=LATER)
    with pytest.raises(errors.AlreadyReleased) as refused:
        service.release(version=version, by=scenes.reporter(), now=LATER)
    assert refused.value.details == {"who": str(first)}
    assert facts() == ["report.released"]


def test_a_correction_is_the_next_version_with_its_reason_and_the_former_stays():
    """E7"""
    version, by = scenes.released(), scenes.reporter()
    report = version.report

    new = service.correct(
        report=report, says=replace(scenes.SAYS, conclusion="正常"), reason="写错了部位", by=by, now=LATER, seen=1
    )

    report.refresh_from_db()
    assert (report.current, new.number, new.reason, report.released_at) == (new, 2, "写错了部位", NOW)
    version.refresh_from_db()
    assert version.conclusion == "脂肪肝（轻度）。"
    assert facts() == ["report.released", "report.corrected"]
    assert "写错" not in str(list(AuditEvent.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize(
    ("says", "reason", "seen", "refusal"),
    [
        (Says(conclusion="新"), " ", 1, errors.ReportReasonMissing),
        (Says(conclusion="新"), "误", 0, errors.ReportChanged),
        (scenes.SAYS, "误", 1, errors.NothingCorrected),
        (Says(), "误", 1, errors.ReportSaysNothing),
    ],
)
def test_a_correction_is_refused_without_a_reason_a_change_or_a_look_at_the_newest(says, reason, seen, refusal):
    report = scenes.released().report
    with pytest.raises(refusal):
        service.correct(report=report, says=says, reason=reason, by=scenes.reporter(), now=LATER, seen=seen)


def test_a_draft_is_not_corrected():
    with pytest.raises(errors.WrongReportState):
        service.correct(report=scenes.draft().report, says=scenes.SAYS, reason="误", by=scenes.reporter(), now=LATER)


def test_a_withdrawn_report_comes_back_by_a_correction_even_as_it_was():
    report, by = scenes.released().report, scenes.reporter()
    with pytest.raises(errors.ReportReasonMissing):
        service.withdraw(report=report, reason=" ", by=by, now=LATER)
    service.withdraw(report=report, reason="贴错了患者", by=by, now=LATER)
    report.refresh_from_db()
    assert report.status == "withdrawn"
    with pytest.raises(errors.WrongReportState):
        service.withdraw(report=report, reason="再撤", by=by, now=LATER)

    service.correct(report=report, says=scenes.SAYS, reason="核对无误", by=by, now=LATER)

    report.refresh_from_db()
    assert (report.status, report.current.number) == ("released", 2)
    assert facts() == ["report.released", "report.withdrawn", "report.corrected"]


def test_a_withdrawn_draft_tells_nobody_and_becomes_one_again():
    version, by = scenes.draft(), scenes.reporter()
    service.withdraw(report=version.report, reason="登错了", by=by, now=LATER)
    with pytest.raises(errors.WrongReportState):
        service.release(version=version, by=by, now=LATER)
    service.revise(version=version, says=scenes.SAYS, by=by, now=LATER)
    service.release(version=version, by=by, now=LATER)
    assert facts() == ["report.released"]


def test_a_critical_result_opens_a_notice_and_a_corrected_one_another():
    report = scenes.released(
        scenes.done_exam(doctor=scenes.a_doctor()), says=replace(scenes.SAYS, critical=True)
    ).report
    service.correct(
        report=report, says=replace(scenes.SAYS, conclusion="x", critical=True), reason="误", by=scenes.reporter(),
        now=LATER,
    )  # fmt: skip
    assert CriticalNotice.objects.count() == 2


# ---- files ----


def test_a_file_is_kept_under_a_name_of_its_own_and_read_back_whole(shelf):
    """E7"""
    kept = files.keep(scenes.upload(name="../../秀英 CT.pdf"), now=NOW)
    version = scenes.released(says=Says(file=kept))

    assert "秀英" not in version.file.name
    assert version.file.name.startswith("2026/11/")
    assert oct((shelf / version.file.name).stat().st_mode)[-3:] == "600"
    assert files.content_of(version) == scenes.pdf()


def test_a_file_that_is_too_long_or_none_is_never_stored(shelf, settings):
    settings.REPORT_FILE_LIMIT = len(scenes.pdf())
    assert files.keep(scenes.upload(), now=NOW).size == settings.REPORT_FILE_LIMIT
    for wrong in (scenes.pdf() + b"\n", b"MZ"):
        with pytest.raises(NotAPdf):
            files.keep(scenes.upload(wrong), now=NOW)
    assert len(stored(shelf)) == 1


def test_a_file_that_changed_or_went_is_not_shown(shelf):
    version = scenes.released(says=Says(file=files.keep(scenes.upload(), now=NOW)))
    (shelf / version.file.name).write_bytes(scenes.pdf(pages=2))
    with pytest.raises(errors.ReportFileLost):
        files.content_of(version)
    (shelf / version.file.name).unlink()
    with pytest.raises(errors.ReportFileLost):
        files.content_of(version)


def test_when_saving_breaks_the_file_goes_and_a_refusal_leaves_it_for_the_next_try(shelf):
    booking = scenes.done_exam()
    kept = files.keep(scenes.upload(), now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        service.register(booking=booking, says=Says(file=kept), by=None, now=NOW)
    assert stored(shelf) == []

    kept = files.keep(scenes.upload(), now=NOW)
    scenes.draft(booking)
    with pytest.raises(errors.ReportExists):
        service.register(booking=booking, says=Says(file=kept), by=scenes.reporter(), now=NOW)
    assert len(stored(shelf)) == 1


def test_the_word_for_a_file_opens_for_its_person_and_its_report_only(shelf):
    kept = files.keep(scenes.upload(), now=NOW)
    word = kept.word(by=1, about="booking:1")
    assert files.of_word(word, by=1, about="booking:1") == kept
    for by, about, said in ((2, "booking:1", word), (1, "booking:2", word), (1, "booking:1", word + "x")):
        assert files.of_word(said, by=by, about=about) is None
    files.discard(kept)
    assert files.of_word(word, by=1, about="booking:1") is None


def test_a_drafts_former_file_goes_with_the_commit_and_a_released_one_stays(shelf, django_capture_on_commit_callbacks):
    first = files.keep(scenes.upload(), now=NOW)
    version = scenes.draft(says=Says(file=first))
    second = files.keep(scenes.upload(scenes.pdf(pages=2)), now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        service.revise(version=version, says=Says(file=second), by=version.by, now=NOW)
    assert stored(shelf) == [second.name.rpartition("/")[2]]

    service.release(version=version, by=version.by, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        new = service.correct(
            report=version.report, says=Says(conclusion="x", keep_file=True), reason="误", by=version.by, now=NOW
        )
        service.correct(report=version.report, says=Says(conclusion="x"), reason="误", by=version.by, now=NOW)
    assert new.file.name == second.name
    files.discard(second)
    assert len(stored(shelf)) == 1


def test_the_sweep_takes_what_no_report_speaks_of_for_a_day_and_nothing_else(shelf):
    """E7: also what a killed process left."""
    assert files.clean_up(now=NOW) == 0
    spoken = files.keep(scenes.upload(), now=NOW)
    scenes.draft(says=Says(file=spoken))
    left = files.keep(scenes.upload(), now=NOW)
    made = storages["reports"].get_modified_time(left.name)

    assert files.clean_up(now=made + timedelta(hours=23)) == 0
    assert files.clean_up(now=made + timedelta(hours=25)) == 1
    assert stored(shelf) == [spoken.name.rpartition("/")[2]]


# ---- at once ----


@pytest.mark.django_db(transaction=True)
def test_two_who_correct_at_once_and_two_who_release_at_once_are_one_each():
    """E7"""
    version = scenes.draft()
    people = [scenes.reporter() for _ in range(4)]

    def race(act, *refusals):
        def one(by):
            try:
                return act(by)
            except refusals as refusal:
                return refusal
            finally:
                connection.close()

        with ThreadPoolExecutor(len(people)) as crowd:
            return [each for each in crowd.map(one, people) if isinstance(each, ReportVersion)]

    assert len(race(lambda by: service.release(version=version, by=by, now=NOW), errors.AlreadyReleased)) == 1
    won = race(
        lambda by: service.correct(
            report=version.report, says=Says(conclusion=f"由{by.pk}"), reason="误", by=by, now=LATER, seen=1
        ),
        errors.ReportChanged,
    )
    assert [each.number for each in won] == [2]
    assert ReportVersion.objects.filter(report=version.report).count() == 2
    assert facts() == ["report.released", "report.corrected"]
