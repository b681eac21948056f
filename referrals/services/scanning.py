"""查毒: an external command looks at each attachment. Where there is one, nobody opens what it has not found clean."""

import os
import shlex
import signal
import subprocess
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from hospital import audit
from referrals.models import OVER, Attachment, Referral
from referrals.models.referral import private_storage

from . import trail

log = structlog.get_logger(__name__)

Scan = Attachment.Scan
SECONDS = 60
"""For one file; a scanner that takes longer is asked again in the next round."""

ROUND = 50
ILL = 3
"""So often without an answer it is the scanner that is ill, not the file: the others wait for the next round."""

CLEAN, INFECTED = 0, 1


def scan_waiting(*, now: datetime) -> int:
    """Attachments that wait: those never tried first, then the oldest try, so that files on which the scanner chokes
    keep no other waiting. Without a scanner none waits. Safe to repeat; how many were looked at."""
    rows = Attachment.objects.filter(removed_at=None)
    if not settings.SCANNER_COMMAND:
        rows.filter(scan=Scan.WAITING).update(scan=Scan.UNSCANNED)
        return 0
    done = failed = 0
    for row in rows.filter(scan=Scan.WAITING).order_by(F("scanned_at").asc(nulls_first=True), "pk")[:ROUND]:
        verdict = _verdict(row)
        if verdict is None:
            failed += 1
            rows.filter(pk=row.pk, scan=Scan.WAITING).update(scanned_at=now)  # tried
            if failed == ILL:
                break
            continue
        _say(row, verdict, now=now)
        done += 1
    return done


def catch_up() -> int:
    """Nightly, where there is a scanner by now: what came before there was one waits, too."""
    if not settings.SCANNER_COMMAND:
        return 0
    return Attachment.objects.filter(removed_at=None, scan=Scan.UNSCANNED).update(scan=Scan.WAITING)


def _verdict(row: Attachment) -> str | None:
    """None: the scanner gave no answer."""
    try:
        command = [*shlex.split(settings.SCANNER_COMMAND), private_storage().path(row.file.name)]
        code = _code(command)
    except (OSError, ValueError, subprocess.TimeoutExpired) as problem:
        log.error("scanner_failed", attachment=row.pk, error=type(problem).__name__)
        return None
    if code not in (CLEAN, INFECTED):
        log.error("scanner_failed", attachment=row.pk, code=code)
        return None
    return Scan.INFECTED if code == INFECTED else Scan.CLEAN


def _code(command: list[str]) -> int:
    """The command in a group of its own: too slow, it ends with all that it started."""
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    with subprocess.Popen(command, start_new_session=True, **quiet) as scanner:
        try:
            return scanner.wait(SECONDS)
        except BaseException:
            os.killpg(scanner.pid, signal.SIGKILL)
            raise


@transaction.atomic
def _say(attachment: Attachment, verdict: str, *, now: datetime) -> None:
    """Both sides read on the trail that a file was infected; before it is sent its writer sees it in the list."""
    referral = trail.locked(attachment.referral_id)
    rows = Attachment.objects.filter(pk=attachment.pk, scan=Scan.WAITING)
    if not rows.update(scan=verdict, scanned_at=now) or verdict == Scan.CLEAN:
        return
    log.warning("attachment_infected", attachment=attachment.pk)
    detail = {"attachment": attachment.pk}
    if referral.status == Referral.Status.DRAFT or referral.status in OVER:
        audit.record(
            action="referral.attachment.infected", actor=None, patient=referral.patient, detail=detail, now=now,
            subject=f"referral:{referral.pk}",
        )  # fmt: skip
        return
    text = _("附件“%(name)s”里发现病毒，已隔离，请重新导出后再发。") % {"name": attachment.name}
    trail.step(referral, trail.Kind.NOTED, by=None, organization_id=None, now=now, text=text, detail=detail)
