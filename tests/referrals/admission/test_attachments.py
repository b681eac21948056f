"""R1: attachments of a referral: limits, both sides, the scanner, the way out."""

import sys
import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from hospital.files.errors import FileLost, UnfitFile
from hospital.models import AuditEvent
from referrals import errors
from referrals.models import Attachment, ReferralRule
from referrals.services import attachments, scanning
from referrals.services.attachments import clean_up
from tests.factories import (
    NOW,
    TODAY,
    CommunityFactory,
    OrganizationFactory,
    ReferralFactory,
    StaffFactory,
    appointment_row,
    open_schedule,
)

from .pictures import jpeg, png

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shelf")]


def upload(content=None, name="化验单.jpg"):
    return SimpleUploadedFile(name, content or jpeg(), "text/html")


def add(referral, *, content=None, name="化验单.jpg", organization=None, by=None):
    organization = organization or referral.origin
    by = by or referral.by
    return attachments.add(
        referral=referral, upload=upload(content, name), by=by, organization=organization, now=NOW
    )  # fmt: skip


@pytest.fixture
def draft():
    return ReferralFactory(status="draft")


@pytest.fixture
def sent():
    return ReferralFactory()


def scanner(settings, tmp_path, code):
    """A command that answers `code`, and writes down what it looked at."""
    script = tmp_path / "scanner.py"
    script.write_text(f"import sys; open({str(tmp_path / 'seen')!r}, 'a').write(sys.argv[1]); sys.exit({code})")
    settings.SCANNER_COMMAND = f"{sys.executable} {script}"


def test_both_sides_add_and_the_trail_of_what_was_sent_says_so(sent):
    """R1, R4"""
    mine = add(sent)
    theirs = add(sent, content=png(), organization=sent.receiver, by=StaffFactory(roles="referral"))

    assert (mine.name, mine.kind, mine.scan) == ("化验单.jpg", "image/jpeg", "unscanned")
    assert theirs.name == "化验单.png"
    assert list(sent.events.values_list("kind", "detail__attachment")) == [
        ("attached", mine.pk),
        ("attached", theirs.pk),
    ]


def test_a_draft_is_its_writers_own_and_what_is_removed_is_gone_for_good(
    draft, shelf, django_capture_on_commit_callbacks
):
    row = add(draft)
    stored = shelf / row.file.name
    assert stored.exists()

    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(attachment=row, by=draft.by, now=NOW)

    assert not stored.exists()
    assert not draft.events.exists()
    assert add(draft).pk != row.pk  # the same file once more


def test_what_was_sent_keeps_its_attachments(sent):
    with pytest.raises(errors.AttachmentStays):
        attachments.remove(attachment=add(sent), by=sent.by, now=NOW)


def test_limits_are_the_receivers_rule_and_nothing_is_left_behind(draft, shelf):
    """R1: an attachment too long, one too many, one twice, one that is a program; no file stays on the disk."""
    ReferralRule.objects.create(organization=draft.receiver, effective_from=TODAY, attachment_mb=1, attachments=2)
    add(draft)
    with pytest.raises(errors.AttachedAlready):
        add(draft)
    with pytest.raises(errors.AttachmentTooLong):
        add(draft, content=jpeg(scan=b"\x01" * 1024**2))
    with pytest.raises(UnfitFile):
        add(draft, content=b"MZ")
    add(draft, content=png())
    with pytest.raises(errors.TooManyAttachments):
        add(draft, content=png(size=(5, 5)))

    assert sum(1 for path in shelf.rglob("*") if path.is_file()) == 2


def test_a_stranger_and_a_referral_that_is_over_take_nothing(sent):
    with pytest.raises(errors.NotTheirTurn):
        add(sent, organization=OrganizationFactory(code="X9", name="别的医院"))
    with pytest.raises(errors.ReferralOver):
        add(ReferralFactory(status="rejected", ended_at=NOW, due_at=None))


def test_nobody_opens_what_the_scanner_has_not_found_clean(sent, settings, tmp_path):
    before = add(sent)
    scanner(settings, tmp_path, 0)
    row = add(sent, content=png())
    for each in (before, row):
        with pytest.raises(errors.AttachmentNotScanned):
            attachments.opened(attachment=each, by=sent.by, now=NOW)

    assert scanning.scan_waiting(now=NOW) == 2
    assert (tmp_path / "seen").read_text().endswith(row.file.name)

    row.refresh_from_db()
    assert attachments.opened(attachment=row, by=sent.by, now=NOW) == png()
    assert AuditEvent.objects.get(action="referral.attachment.opened").subject == f"attachment:{row.pk}"


def test_an_infected_one_is_opened_by_nobody_and_both_sides_read_it(sent, settings, tmp_path):
    scanner(settings, tmp_path, 1)
    row = add(sent)
    scanning.scan_waiting(now=NOW)

    row.refresh_from_db()
    with pytest.raises(errors.AttachmentInfected):
        attachments.opened(attachment=row, by=sent.by, now=NOW)
    assert "病毒" in sent.events.last().text


@pytest.mark.parametrize("command", ["/nowhere/scanner", "false-quote '", ""])
def test_a_scanner_that_fails_lets_nothing_through_and_taking_it_away_lets_go(sent, settings, tmp_path, command):
    scanner(settings, tmp_path, 2)
    row = add(sent)
    settings.SCANNER_COMMAND = command or settings.SCANNER_COMMAND
    assert scanning.scan_waiting(now=NOW) == 0
    row.refresh_from_db()
    assert row.scan == "waiting"

    settings.SCANNER_COMMAND = ""
    scanning.scan_waiting(now=NOW)
    row.refresh_from_db()
    assert row.scan == "unscanned"


def test_files_that_the_scanner_never_answers_do_not_keep_the_others_waiting(sent, settings, tmp_path):
    """R1: three that it chokes on, each round; the fourth is clean and comes up in the next."""
    script = tmp_path / "picky.py"
    script.write_text("import sys; sys.exit(0 if sys.argv[1].endswith('.png') else 2)")
    settings.SCANNER_COMMAND = f"{sys.executable} {script}"
    for number in range(scanning.ILL):
        add(sent, content=jpeg(scan=bytes([number + 1])))
    clean = add(sent, content=png())
    found = [scanning.scan_waiting(now=NOW + timedelta(minutes=minute)) for minute in range(3)]
    assert found == [0, 1, 0]
    clean.refresh_from_db()
    assert clean.scan == "clean"
    assert Attachment.objects.filter(scan="waiting").count() == scanning.ILL


def test_a_scanner_that_takes_too_long_is_ended_with_all_that_it_started(sent, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "SECONDS", 0.1)
    script, left = tmp_path / "slow.sh", tmp_path / "left"
    script.write_text(f"#!/bin/sh\n(sleep 0.4; touch {left}) &\nwait\n")
    settings.SCANNER_COMMAND = f"sh {script}"
    row = add(sent)
    assert scanning.scan_waiting(now=NOW) == 0
    time.sleep(0.5)
    assert not left.exists()
    row.refresh_from_db()
    assert row.scan == "waiting"


def test_what_is_not_what_was_stored_is_never_shown(sent, shelf):
    row = add(sent)
    (shelf / row.file.name).write_bytes(b"<script>")
    with pytest.raises(FileLost):
        attachments.opened(attachment=row, by=sent.by, now=NOW)


def test_files_that_no_row_speaks_of_are_swept_a_day_later(sent, shelf):
    kept = add(sent)
    (shelf / "2026").mkdir(exist_ok=True)
    (shelf / "2026" / "left.jpg").write_bytes(b"x")

    assert clean_up(now=NOW - timedelta(days=3650)) == 0
    assert clean_up(now=NOW + timedelta(days=3650)) == 1
    assert (shelf / kept.file.name).exists()


# ---- pages ----


def test_a_file_goes_out_as_a_download_that_can_do_nothing(client, sent):
    row = add(sent)
    client.force_login(sent.by)
    answer = client.get(reverse("referrals:attachment", args=[sent.pk, row.pk]))

    assert answer.content == jpeg()
    assert answer["Content-Disposition"].startswith('attachment; filename="file.jpg"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


def test_several_files_at_once_each_hears_its_own_and_none_is_lost(client, draft):
    client.force_login(draft.by)
    page = reverse("referrals:attachments", args=[draft.pk])
    answer = client.post(page, {"file": [upload(), upload(b"MZ", "病历.pdf"), upload(jpeg(), "again.jpg")]})

    assert answer.status_code == 422
    said = answer.content.decode()
    assert "已收到：化验单.jpg" in said
    assert "这是一个程序" in said
    assert "已经在附件里" in said
    assert Attachment.objects.count() == 1
    assert client.post(page).status_code == 422
    assert client.post(page, {"file": upload(png()), "back": "https://evil.example/"}).url == page


def test_two_hundred_megabytes_are_refused_unread_and_a_file_too_long_is_cut_off(client, draft):
    """R1: bad input, an attachment of 200 MB."""
    client.force_login(draft.by)
    page = reverse("referrals:attachments", args=[draft.pk])
    answer = client.post(page, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(210 * 2**20))
    assert answer.status_code == 413

    answer = client.post(page, {"file": [upload(jpeg(scan=b"\x01" * (21 * 2**20)), "大.jpg"), upload()]})
    assert answer.status_code == 422
    assert "超过 10 MB" in answer.content.decode()
    assert [row.name for row in Attachment.objects.all()] == ["化验单.jpg"]


def test_a_third_institution_finds_neither_list_nor_file(client, sent):
    """P10"""
    row = add(sent)
    elsewhere = CommunityFactory(code="SQ9", name="别的社区", short_name="别的社区")
    client.force_login(StaffFactory(roles="partner", roles__at=elsewhere))

    assert client.get(reverse("referrals:attachments", args=[sent.pk])).status_code == 404
    assert client.get(reverse("referrals:attachment", args=[sent.pk, row.pk])).status_code == 404
    assert client.post(reverse("referrals:attachments", args=[sent.pk]), {"file": upload(png())}).status_code == 404

    own = ReferralFactory(origin=elsewhere, status="draft")
    assert client.get(reverse("referrals:attachment", args=[own.pk, row.pk])).status_code == 404
    assert client.post(reverse("referrals:attachment_remove", args=[own.pk, row.pk])).status_code == 404
    number = appointment_row(open_schedule(), sent.patient, channel="partner", partner=sent.origin)
    assert client.post(reverse("referrals:referral_link", args=[own.pk, number.pk])).status_code == 404


def test_a_diagnosis_is_searched_while_it_is_typed(client, draft):
    client.force_login(draft.by)
    said = client.post(reverse("referrals:icd10"), {"diagnosis": "gxb", "diagnosis_code": "I10"}).content.decode()

    assert 'value="I25.1"' in said
    assert "checked" not in said  # what was picked for other words is not picked for these
