"""E7: staff write, look, release, correct; nothing typed is lost; who read what."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from exams.models import DiagnosticReport, ReportAccess, ReportVersion
from exams.services import reports as service
from exams.services.reports import Says, files
from hospital.models import AuditEvent, Patient, RoleAssignment
from tests.factories import NOW, IdentifierFactory, OrganizationFactory, StaffFactory, exam_variant

from . import scenes

pytestmark = pytest.mark.django_db

COLUMNS = ("name", "value", "unit", "low", "high")


@pytest.fixture
def staff(client):
    client.user = scenes.reporter()
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sheet(rows=(), total=6, **said):
    """What the form posts."""
    data = {"findings": "所见", "conclusion": "诊断", "m-TOTAL_FORMS": total, "m-INITIAL_FORMS": total}
    for number in range(total):
        cells = rows[number] if number < len(rows) else ("", "", "", "", "")
        data |= {f"m-{number}-{name}": cell for name, cell in zip(COLUMNS, cells, strict=True)}
    return data | said


def test_a_done_exam_waits_in_the_list_until_it_is_written(staff, django_assert_max_num_queries):
    """E7"""
    booking = scenes.done_exam()
    for _ in range(3):
        scenes.done_exam()
    scenes.done_exam(status="running")
    with django_assert_max_num_queries(12):
        page = staff.get("/exam-reports/")
    assert len(page.context["page"].object_list) == 4

    answer = staff.post(
        f"/exam-reports/new/{booking.pk}/", sheet([("血红蛋白", "58", "g/L", "115", "150")], critical="on")
    )

    report = DiagnosticReport.objects.get(booking=booking)
    assert answer.headers["Location"] == f"/exam-reports/{report.pk}/"
    version = report.versions.get()
    assert (version.conclusion, version.critical, version.measurements[0]["flag"]) == ("诊断", True, "low")
    assert len(staff.get("/exam-reports/").context["page"].object_list) == 3
    assert staff.get("/exam-reports/?tab=draft").context["page"].object_list[0] == report


@pytest.mark.parametrize(
    ("address", "finds"),
    [
        ("?q=liXIUying", 2),
        ("?q=查无此人", 0),
        ("?modality=ct", 0),
        ("?modality=us", 2),
        ("?modality=zz&page=x&tab=odd", 0),
        ("?q=%00", 2),
        ("?older=1", 2),
    ],
)
def test_the_list_is_narrowed_and_odd_addresses_break_nothing(staff, address, finds):
    scenes.done_exam(), scenes.done_exam()
    page = staff.get(f"/exam-reports/{address}")
    assert page.status_code == 200
    assert len(page.context["page"].object_list) == finds


def test_what_is_wrong_keeps_all_that_was_typed_and_the_file(staff, shelf):
    booking = scenes.done_exam()
    data = sheet([("血红蛋白", "", "g/L", "x", "1"), ("", "5", "", "", "")], findings="写了很久的所见")
    answer = staff.post(f"/exam-reports/new/{booking.pk}/", {**data, "file": scenes.upload(name="结果.pdf")})

    assert answer.status_code == 422
    text = answer.content.decode()
    for kept in ("写了很久的所见", "已收到 结果.pdf", "请填结果", "请写是什么项目", "请填数字"):
        assert kept in text
    word = answer.context["form"].word
    answer = staff.post(f"/exam-reports/new/{booking.pk}/", sheet(kept=word))
    assert answer.status_code == 302
    assert files.content_of(ReportVersion.objects.get()) == scenes.pdf()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"MZ\x90", "程序"),
        (b"", "空"),
        (scenes.pdf(trailer=b"/Encrypt 1 0 R"), "密码"),
        (scenes.pdf() * 2000, "超过 0 MB"),
    ],
    ids=["program", "empty", "encrypted", "too long"],
)
def test_a_wrong_file_is_said_and_the_words_stay(staff, shelf, settings, content, why):
    settings.REPORT_FILE_LIMIT = 500_000
    booking = scenes.done_exam()
    upload = SimpleUploadedFile("结果.pdf", content, content_type="application/pdf")
    answer = staff.post(f"/exam-reports/new/{booking.pk}/", {**sheet(findings="别丢"), "file": upload})
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert "别丢" in answer.content.decode()
    assert not DiagnosticReport.objects.exists()
    assert not list(shelf.rglob("*.pdf"))


def test_a_body_far_too_long_is_refused_unread(staff, settings):
    settings.REPORT_FILE_LIMIT = 1000
    booking = scenes.done_exam()
    answer = staff.post(f"/exam-reports/new/{booking.pk}/", sheet(findings="长" * 9000))
    assert answer.status_code == 413
    assert "太大" in answer.content.decode()


def test_more_rows_keep_what_was_typed_and_the_next_report_begins_with_the_ranges(staff):
    booking = scenes.done_exam()
    scenes.released(scenes.done_exam(variant=booking.variant))
    page = staff.get(f"/exam-reports/new/{booking.pk}/")
    assert [form["name"].value() for form in page.context["rows"]][:2] == ["血红蛋白", "白细胞"]

    answer = staff.post(f"/exam-reports/new/{booking.pk}/", sheet(total=6, more="1", findings="一半"))
    assert answer.status_code == 200
    assert len(answer.context["rows"].forms) == 11
    assert "一半" in answer.content.decode()

    untouched = [("血红蛋白", "", "g/L", "115", "150"), ("白细胞", "4", "10^9/L", "3.5", "9.5")]
    staff.post(f"/exam-reports/new/{booking.pk}/", sheet(untouched))
    assert [row["name"] for row in ReportVersion.objects.latest("pk").measurements] == ["白细胞"]


def test_a_partners_result_is_entered_for_a_known_person(staff):
    partner, variant = OrganizationFactory(code="P9", name="城东医院"), exam_variant()
    person = IdentifierFactory().patient
    said = {"variant": variant.pk, "organization": partner.pk, "performed_at": "2026-11-20T09:30"}
    for wrong in ("M00000000", "周志明", "002X"):
        assert staff.post("/exam-reports/partner/", sheet(**said, person=wrong)).status_code == 422
    future = said | {"performed_at": "2027-01-01T00:00"}
    assert staff.post("/exam-reports/partner/", sheet(**future, person=person.medical_number)).status_code == 422

    answer = staff.post("/exam-reports/partner/", sheet(**said, person="11010519491231002x"))

    report = DiagnosticReport.objects.get()
    assert answer.status_code == 302
    assert (report.patient, report.organization, report.booking) == (person, partner, None)


def test_preview_release_and_a_second_person_who_releases_another_text(staff):
    version = scenes.draft(by=staff.user)
    page = staff.get(f"/exam-reports/{version.report_id}/")
    assert "偏低" in page.content.decode()
    mark = page.context["mark"]
    says = replace(scenes.SAYS, conclusion="改")
    service.revise(version=version, says=says, by=scenes.reporter(), now=NOW.replace(hour=3))

    answer = staff.post(f"/exam-reports/{version.report_id}/release/", {"seen": mark})
    assert answer.status_code == 409
    assert "刚刚改过" in answer.content.decode()

    answer = staff.post(f"/exam-reports/{version.report_id}/release/", {"seen": answer.context["mark"]})
    assert answer.status_code == 302
    version.report.refresh_from_db()
    assert version.report.status == "released"


def test_a_correction_is_looked_at_before_it_is_released(staff, shelf):
    """E7"""
    version = scenes.released(says=replace(scenes.SAYS, file=files.keep(scenes.upload(), now=NOW)))
    pk = version.report_id
    page = staff.get(f"/exam-reports/{pk}/correct/")
    seen = page.context["form"]["seen"].value()
    said = sheet(seen=seen, reason="部位写错", conclusion="正常", drop_file="on")

    looked = staff.post(f"/exam-reports/{pk}/correct/", said)
    assert looked.status_code == 200
    assert "更正后是这样" in looked.content.decode()
    sure = {"sure": "1", "looked": looked.context["looked"]}
    typed_after = staff.post(f"/exam-reports/{pk}/correct/", said | sure | {"conclusion": "改了又改"})
    assert typed_after.status_code == 200
    assert typed_after.context["looks"].conclusion == "改了又改"
    assert ReportVersion.objects.count() == 1

    for _twice in range(2):
        assert staff.post(f"/exam-reports/{pk}/correct/", said | sure).status_code == 302
    new = ReportVersion.objects.latest("number")
    assert (new.number, new.conclusion, new.reason, bool(new.file)) == (2, "正常", "部位写错", False)
    staff.force_login(scenes.reporter(), backend="django.contrib.auth.backends.ModelBackend")
    again = staff.post(f"/exam-reports/{pk}/correct/", said | sure)
    assert again.status_code == 409
    assert "正常" in again.content.decode()
    assert staff.get(f"/exam-reports/{pk}/v/1/file/").status_code == 200
    assert staff.get(f"/exam-reports/{pk}/v/2/file/").status_code == 404


def test_withdrawing_asks_why(staff):
    pk = scenes.released().report_id
    assert staff.post(f"/exam-reports/{pk}/withdraw/", {"reason": ""}).status_code == 422
    assert staff.post(f"/exam-reports/{pk}/withdraw/", {"reason": "贴错"}).status_code == 302
    again = staff.post(f"/exam-reports/{pk}/withdraw/", {"reason": "贴错"})
    assert again.status_code == 409
    assert "已撤回" in again.content.decode()


def test_the_file_is_a_download_that_can_do_nothing(staff, shelf):
    """E7"""
    version = scenes.released(says=Says(file=files.keep(scenes.upload(), now=NOW)))
    answer = staff.get(f"/exam-reports/{version.report_id}/v/1/file/")
    assert answer.content == scenes.pdf()
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, no-store"
    (shelf / version.file.name).unlink()
    answer = staff.get(f"/exam-reports/{version.report_id}/v/1/file/")
    assert answer.status_code == 503
    assert ReportAccess.objects.filter(file=True).count() == 1


def test_who_read_what_when_stands_in_the_log_and_in_the_patients_trail(staff):
    """E7"""
    version = scenes.released()
    staff.get(f"/exam-reports/{version.report_id}/")
    page = staff.get(f"/exam-reports/{version.report_id}/readers/")
    assert [(row.user, row.way, row.version) for row in page.context["page"]] == [(staff.user, "staff", version)]
    assert AuditEvent.objects.filter(patient=version.report.patient, action="patient.seen.report").count() == 1

    staff.force_login(StaffFactory(roles="auditor"), backend="django.contrib.auth.backends.ModelBackend")
    assert staff.get(f"/exam-reports/{version.report_id}/readers/").status_code == 200
    assert staff.get(f"/exam-reports/{version.report_id}/").status_code == 403


def test_another_houses_reports_are_not_found_and_other_roles_hear_why(client):
    version = scenes.released()
    waiting = scenes.done_exam()
    there = OrganizationFactory(code="H2", name="别院")
    user = StaffFactory()
    RoleAssignment.objects.create(user=user, role="exam", organization=there)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    pk = version.report_id
    for path in ("", "edit/", "correct/", "withdraw/", "readers/", "v/1/", "v/1/file/"):
        assert client.get(f"/exam-reports/{pk}/{path}").status_code == 404, path
    assert client.get(f"/exam-reports/new/{waiting.pk}/").status_code == 404
    assert not client.get("/exam-reports/").context["page"].object_list

    client.force_login(StaffFactory(roles="ward"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/exam-reports/{pk}/").status_code == 200
    assert client.get(f"/exam-reports/{pk}/correct/").status_code == 403
    assert Patient.objects.count() == 2


def test_released_ones_are_listed_a_month_back_and_one_person_by_number_for_ever(staff):
    version = scenes.released(now=NOW - timedelta(days=40))
    number = version.report.patient.medical_number
    for query, finds in (("", 0), ("&older=1", 1), (f"&q={number.lower()}", 1), ("&q=M00000000", 0)):
        assert len(staff.get(f"/exam-reports/?tab=released{query}").context["page"].object_list) == finds, query
    searched = AuditEvent.objects.filter(action="patient.searched.reports").order_by("id")
    assert [row.detail["shown"] for row in searched] == [[version.report.patient_id], []]


def test_a_draft_is_opened_again_and_a_stale_page_keeps_what_was_typed(staff):
    version = scenes.draft(by=staff.user)
    address = f"/exam-reports/{version.report_id}/edit/"
    page = staff.get(address)
    assert page.context["form"]["conclusion"].value() == "脂肪肝（轻度）。"
    assert page.context["rows"][0]["value"].value() == "58"
    stale = sheet(seen=page.context["form"]["seen"].value(), conclusion="我的")
    service.revise(version=version, says=Says(conclusion="他的"), by=scenes.reporter(), now=NOW + timedelta(minutes=1))

    answer = staff.post(address, stale)
    assert (answer.status_code, "我的" in answer.content.decode()) == (409, True)
    version.refresh_from_db()
    assert staff.post(address, stale | {"seen": version.written_at.isoformat()}).status_code == 302

    assert staff.get(f"/exam-reports/{version.report_id}/correct/").status_code == 302
    staff.post(f"/exam-reports/{version.report_id}/release/")
    assert staff.get(address).headers["Location"] == f"/exam-reports/{version.report_id}/"


def test_who_writes_what_a_colleague_just_wrote_is_shown_the_way_there(staff):
    booking = scenes.done_exam()
    version = scenes.draft(booking)
    assert staff.get(f"/exam-reports/new/{booking.pk}/").headers["Location"] == f"/exam-reports/{version.report_id}/"
    answer = staff.post(f"/exam-reports/new/{booking.pk}/", sheet(findings="也写了"))
    text = answer.content.decode()
    assert (answer.status_code, "也写了" in text) == (409, True)
    assert f"/exam-reports/{version.report_id}/" in text
    running = scenes.done_exam(status="running")
    assert staff.get(f"/exam-reports/new/{running.pk}/").status_code == 409


def test_a_file_that_came_too_long_ago_is_asked_for_again_and_one_not_wanted_is_left_out(staff, shelf):
    booking = scenes.done_exam()
    address = f"/exam-reports/new/{booking.pk}/"
    answer = staff.post(address, sheet(kept="not-a-word"))
    assert (answer.status_code, "已过期" in answer.content.decode()) == (422, True)
    word = files.keep(scenes.upload(), now=NOW).word(by=staff.user.pk, about=f"booking:{booking.pk}")
    assert staff.post(address, sheet(kept=word, drop_file="on")).status_code == 302
    assert not ReportVersion.objects.get().file
