"""E7: the code on the slip: who has the paper and knows the end of the document reads, for a while."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client

from exams import errors
from exams.models import ReportAccess, ReportLink
from exams.services import reports as service
from exams.services.reports import Says, files, links
from hospital.cache import ForgivingRedisCache
from hospital.models import AuditEvent
from tests.factories import NOW, IdentifierFactory, StaffFactory

from . import scenes

pytestmark = pytest.mark.django_db

SECRETS = ("脂肪肝", "腹部超声", "M0000", "13800136210", "李秀英")


def an_exam(**more):
    booking = scenes.done_exam(**more)
    IdentifierFactory(patient=booking.patient)
    return booking


def a_link(booking, now=NOW):
    return links.make(booking=booking, by=scenes.reporter(), now=now)


def quiet(page):
    """Nothing of a person or a result."""
    assert [word for word in SECRETS if word in page.content.decode()] == []
    assert "no-store" in page.headers["Cache-Control"]
    return page


def test_with_the_paper_and_the_last_four_the_report_is_read_and_the_reading_kept(client, shelf):
    """E7"""
    booking = an_exam()
    version = scenes.released(booking, says=Says(conclusion="脂肪肝", file=files.keep(scenes.upload(), now=NOW)))
    token = a_link(booking)
    assert client.get(f"/r/{token}/v/1/file/").headers["Location"] == f"/r/{token}/"
    quiet(client.get(f"/r/{token}/"))

    assert client.post(f"/r/{token}/", {"last4": " ００2x "}).headers["Location"] == f"/r/{token}/"

    assert "脂肪肝" in client.get(f"/r/{token}/").content.decode()
    assert client.get(f"/r/{token}/v/1/file/").content == scenes.pdf()
    assert client.get(f"/r/{token}/v/2/file/").status_code == 404
    rows = ReportAccess.objects.order_by("id").values_list("version", "way", "link__booking", "file")
    assert list(rows) == [(version.pk, "link", booking.pk, False), (version.pk, "link", booking.pk, True)]
    assert token not in str(list(ReportLink.objects.values()))


def test_it_is_asked_again_after_a_quarter_of_an_hour_or_when_it_was_closed_and_in_another_browser(client, settings):
    booking = an_exam()
    scenes.released(booking)
    token = a_link(booking)
    client.post(f"/r/{token}/", {"last4": "002X"})
    quiet(type(client)().get(f"/r/{token}/"))
    with time_machine.travel(NOW + timedelta(minutes=16), tick=False):
        quiet(client.get(f"/r/{token}/"))
        client.post(f"/r/{token}/", {"last4": "002X"})
        assert "脂肪肝" in client.get(f"/r/{token}/").content.decode()
        client.post(f"/r/{token}/close/")
        quiet(client.get(f"/r/{token}/"))


def test_five_misses_end_the_link_and_a_new_slip_opens_again(client):
    """E7: ten thousand endings, five tries."""
    booking = an_exam()
    scenes.released(booking)
    token = a_link(booking)
    for left in (4, 3, 2, 1):
        page = quiet(client.post(f"/r/{token}/", {"last4": "0000"}))
        assert (page.status_code, page.context["left"]) == (422, left)
    assert quiet(client.post(f"/r/{token}/", {"last4": "1111"})).status_code == 404
    page = quiet(client.post(f"/r/{token}/", {"last4": "002X"}))
    assert page.status_code == 404
    assert "重新打印" in page.content.decode()
    assert AuditEvent.objects.filter(action="report.link_missed", patient=booking.patient).count() == 5

    token = a_link(booking)
    assert client.post(f"/r/{token}/", {"last4": "002X"}).status_code == 302


@pytest.mark.parametrize("said", ["", "   ", "12345678901", "00\x00"])
def test_what_is_no_last_four_is_no_error_of_ours(client, said):
    booking = an_exam()
    scenes.released(booking)
    assert quiet(client.post(f"/r/{a_link(booking)}/", {"last4": said})).status_code == 422


def test_before_the_report_is_there_the_page_says_when_and_asks_nothing(client):
    booking = an_exam()
    version = scenes.draft(booking, now=NOW - timedelta(minutes=30))
    token = a_link(booking, now=NOW - timedelta(minutes=30))
    with time_machine.travel(NOW - timedelta(minutes=30), tick=False):
        page = quiet(client.get(f"/r/{token}/"))
        assert "预计 11月23日 周一 10:00" in page.content.decode()
    assert "晚了一些" in quiet(client.post(f"/r/{token}/", {"last4": "002X"})).content.decode()
    assert ReportLink.objects.get().misses == 0

    service.release(version=version, by=version.by, now=NOW)
    assert client.post(f"/r/{token}/", {"last4": "002X"}).status_code == 302


def test_a_link_ends_with_its_days_and_says_how_to_get_a_new_one(client):
    booking = an_exam()
    scenes.released(booking)
    token = a_link(booking)
    assert ReportLink.objects.get().expires_at == NOW + timedelta(days=7)
    with time_machine.travel(NOW + timedelta(days=7), tick=False):
        page = quiet(client.get(f"/r/{token}/"))
        assert page.status_code == 404
        assert "重新打印" in page.content.decode()
        assert not links.proves(links.by_token(token), "002X", now=NOW + timedelta(days=7))
    unknown = quiet(client.get("/r/no-such-link/"))
    assert unknown.content.decode().count("重新打印") == 1


def test_a_slip_printed_long_before_the_exam_is_valid_for_days_after_its_result():
    booking = an_exam()
    a_link(booking, now=NOW - timedelta(days=20))
    assert ReportLink.objects.get().expires_at == NOW + timedelta(days=7)


def test_a_new_slip_ends_the_lost_one(client):
    booking = an_exam()
    scenes.released(booking)
    lost, new = a_link(booking), a_link(booking)
    assert client.get(f"/r/{lost}/").status_code == 404
    assert client.get(f"/r/{new}/").status_code == 200


def test_a_withdrawn_report_and_an_exam_that_was_not_done_say_so_without_a_name(client):
    booking = an_exam()
    version = scenes.released(booking)
    token = a_link(booking)
    client.post(f"/r/{token}/", {"last4": "002X"})
    service.withdraw(report=version.report, reason="贴错", by=version.by, now=NOW)
    assert "已撤回" in quiet(client.get(f"/r/{token}/")).content.decode()
    assert client.get(f"/r/{token}/v/1/file/").status_code == 404

    booked = scenes.done_exam(status="booked")
    IdentifierFactory(patient=booked.patient, number="110105194912310038")
    token = a_link(booked)
    booked.patient.exam_bookings.update(status="cancelled", holds=False, ended_at=NOW)
    assert "没有做" in quiet(client.get(f"/r/{token}/")).content.decode()
    booked.refresh_from_db()
    with pytest.raises(errors.NothingToFetch):
        a_link(booked)


def test_unknown_links_are_limited_per_address():
    """B16: the house's buckets; without Redis the five misses of a link still hold."""
    ForgivingRedisCache.gone_until = 0.0
    guesser = Client(REMOTE_ADDR="10.9.9.1")
    codes = [guesser.get(f"/r/guess-{number}/").status_code for number in range(21)]
    assert codes == [404] * 20 + [429]


def test_the_slip_is_asked_for_and_then_printed_with_its_code(client):
    """E7"""
    booking = an_exam()
    client.force_login(StaffFactory(roles="triage"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/exam-reports/slips/{booking.pk}/").status_code == 200
    assert not ReportLink.objects.exists()
    page = client.post(f"/exam-reports/slips/{booking.pk}/")
    text = page.content.decode()
    assert "<svg" in text
    assert "style=" not in text
    assert booking.patient.name not in text
    assert "旧的二维码马上失效" in client.get(f"/exam-reports/slips/{booking.pk}/").content.decode()
    assert AuditEvent.objects.filter(action="report.slip_printed").count() == 1

    booking.patient.identifiers.all().delete()
    refused = client.post(f"/exam-reports/slips/{booking.pk}/")
    assert (refused.status_code, "没有登记证件" in refused.content.decode()) == (409, True)
    client.force_login(StaffFactory(roles="phone"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/exam-reports/slips/{booking.pk}/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_wrong_last_fours_at_once_are_counted_one_by_one():
    booking = an_exam()
    scenes.released(booking)
    link = links.by_token(a_link(booking))

    def guess(number):
        try:
            return links.proves(ReportLink.objects.get(pk=link.pk), f"{number:04}", now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as crowd:
        assert not any(crowd.map(guess, range(8)))
    link.refresh_from_db()
    assert (link.misses, link.ended_at) == (5, NOW)


def test_wrong_last_fours_of_one_address_are_limited_over_many_slips_and_right_ones_never():
    """B16: everybody in the waiting area has the hospital's address."""
    ForgivingRedisCache.gone_until = 0.0
    booking = an_exam()
    scenes.released(booking)
    phone = Client(REMOTE_ADDR="10.9.9.2")
    answers = []
    for _ in range(5):
        token = a_link(booking)
        answers += [phone.post(f"/r/{token}/", {"last4": "1111"}).status_code for _ in range(4)]
    assert answers == [422] * 20
    token = a_link(booking)
    refused = phone.post(f"/r/{token}/", {"last4": "1111"})
    assert (refused.status_code, "脂肪肝" in refused.content.decode()) == (429, False)
    assert phone.post(f"/r/{token}/", {"last4": "002X"}).status_code == 302
