"""E7: an account reads its people's reports, each reading leaves a row, and nobody reads another's."""

from dataclasses import replace

import pytest

from exams.models import ReportAccess
from exams.services import reports as service
from exams.services.reports import Says, files
from tests.factories import NOW, AccountFactory, NoticeFactory, RelatedPersonFactory

from . import scenes

pytestmark = pytest.mark.django_db


def sign_in(client, account):
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def titles(client, query=""):
    return [row.pk for row in client.get(f"/reports/{query}").context["page"]]


def test_the_family_reads_what_is_released_and_never_a_draft(client, django_assert_max_num_queries):
    """E7"""
    booking = scenes.done_exam()
    version = scenes.draft(booking)
    sign_in(client, scenes.family_account(booking))
    assert titles(client) == []
    assert client.get(f"/reports/{version.report_id}/").status_code == 404

    service.release(version=version, by=version.by, now=NOW)

    with django_assert_max_num_queries(12):
        assert titles(client) == [version.report_id]
    page = client.get(f"/reports/{version.report_id}/")
    text = page.content.decode()
    for word in ("脂肪肝（轻度）", "偏高", "偏低", booking.patient.name):
        assert word in text
    assert "no-store" in page.headers["Cache-Control"]
    assert list(ReportAccess.objects.values_list("version", "way", "file")) == [(version.pk, "account", False)]


def test_after_a_correction_both_stand_there_with_the_reason_and_each_reading_says_which(client):
    """E7"""
    booking = scenes.done_exam()
    version = scenes.released(booking)
    says = replace(scenes.SAYS, conclusion="正常")
    service.correct(report=version.report, says=says, reason="写错了", by=version.by, now=NOW)
    pk = version.report_id
    sign_in(client, scenes.family_account(booking))

    new = client.get(f"/reports/{pk}/").content.decode()
    old = client.get(f"/reports/{pk}/v/1/").content.decode()

    assert ("已更正" in new, "写错了" in new, "正常" in new, "轻度" in new) == (True, True, True, False)
    assert ("不再有效" in old, "轻度" in old) == (True, True)
    assert client.get(f"/reports/{pk}/v/3/").status_code == 404
    assert list(ReportAccess.objects.order_by("id").values_list("version__number", flat=True)) == [2, 1]


def test_a_withdrawn_report_says_so_and_nothing_of_what_it_said(client, shelf):
    booking = scenes.done_exam()
    version = scenes.released(booking, says=replace(scenes.SAYS, file=files.keep(scenes.upload(), now=NOW)))
    service.withdraw(report=version.report, reason="贴错", by=version.by, now=NOW)
    sign_in(client, scenes.family_account(booking))

    assert titles(client) == [version.report_id]
    text = client.get(f"/reports/{version.report_id}/").content.decode()
    assert "已撤回" in text
    assert "脂肪肝" not in text
    for path in ("v/1/", "v/1/file/"):
        assert client.get(f"/reports/{version.report_id}/{path}").status_code == 404


def test_the_file_is_read_by_the_family_and_leaves_a_row(client, shelf):
    booking = scenes.done_exam()
    version = scenes.released(booking, says=Says(file=files.keep(scenes.upload(), now=NOW)))
    sign_in(client, scenes.family_account(booking))
    assert "报告内容在文件里" in client.get(f"/reports/{version.report_id}/").content.decode()
    answer = client.get(f"/reports/{version.report_id}/v/1/file/")
    assert answer.content == scenes.pdf()
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert ReportAccess.objects.filter(file=True, way="account").count() == 1


def test_a_stranger_finds_nothing_and_staff_hear_that_this_is_the_patients_page(client, shelf):
    """B16: also by a guessed id."""
    version = scenes.released(says=Says(conclusion="x", file=files.keep(scenes.upload(), now=NOW)))
    pk = version.report_id
    sign_in(client, RelatedPersonFactory(account=AccountFactory()).account)
    for path in ("", "v/1/", "v/1/file/"):
        assert client.get(f"/reports/{pk}/{path}").status_code == 404
    sign_in(client, scenes.reporter())
    assert client.get(f"/reports/{pk}/").status_code == 403
    client.logout()
    assert client.get(f"/reports/{pk}/").status_code == 302
    assert not ReportAccess.objects.exists()


def test_of_a_person_that_the_account_only_registered_it_reads_what_it_booked(client):
    """B16: a name and a document number are for sale."""
    account = AccountFactory()
    own = scenes.done_exam(account=account)
    account.family.update(proof="registered")
    own.patient.times.all().delete()
    others = scenes.done_exam(patient=own.patient)
    booked, unseen = scenes.released(own).report, scenes.released(others).report
    sign_in(client, account)
    page = client.get("/reports/")
    assert [row.pk for row in page.context["page"]] == [booked.pk]
    assert "到窗口核验" in page.content.decode()
    assert client.get(f"/reports/{unseen.pk}/").status_code == 404


def test_nobody_reads_before_they_agreed_to_the_privacy_notice(client):
    """O4"""
    version = scenes.released(booking := scenes.done_exam())
    NoticeFactory(kind="privacy")
    sign_in(client, scenes.family_account(booking))
    assert client.get(f"/reports/{version.report_id}/").headers["Location"].startswith("/me/consent/")


def test_one_of_several_people_is_chosen_and_another_ones_number_shows_all(client):
    first, second = scenes.done_exam(), scenes.done_exam()
    a, b = scenes.released(first).report_id, scenes.released(second).report_id
    account = scenes.family_account(first)
    RelatedPersonFactory(account=account, patient=second.patient)
    sign_in(client, account)
    assert titles(client, f"?patient={first.patient_id}") == [a]
    for odd in ("?patient=999999", "?patient=x", "?page=zz"):
        assert set(titles(client, odd)) == {a, b}
