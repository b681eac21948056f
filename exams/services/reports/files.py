"""A report's PDF: looked at, kept under a random name outside the web root, read only by who may, swept when nobody's.

A file is kept before the form that brought it is right, so that nobody uploads twice: a signed word stands for it in
the form, of one person and for one report. What no version speaks of is swept a day later (clean_up).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import structlog
from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile, File
from django.db import transaction

from exams.errors import ReportFileLost
from exams.models import ReportVersion
from exams.models.reports import private_storage
from hospital import clock
from hospital.errors import Refused
from hospital.files import pdf, storing
from hospital.files.errors import FileLost, NotAPdf

log = structlog.get_logger(__name__)

SALT = "exams.report_file"
FORM_OPEN = timedelta(hours=12)
"""So long a form may wait with its file: shorter than storing.NOBODYS, after which it is swept."""


@dataclass(frozen=True)
class Kept:
    """A file that was looked at and stored. `shown`: what its owner called it, for the form only."""

    name: str
    digest: str
    size: int
    shown: str

    def word(self, *, by: int, about: str) -> str:
        """What a form carries: opens for this account and this report only."""
        return signing.dumps({**asdict(self), "by": by, "about": about}, salt=SALT, compress=True)


def keep(upload: File, *, now: datetime) -> Kept:
    """Look at an upload and store it. Raises NotAPdf."""
    content = upload.read(settings.REPORT_FILE_LIMIT + 1)
    refusal = too_long() if len(content) > settings.REPORT_FILE_LIMIT else pdf.refusal_of(content)
    if refusal:
        raise refusal
    day = clock.today(now)
    name = private_storage().save(f"{day:%Y/%m}/{uuid4().hex}.pdf", ContentFile(content))
    digest = hashlib.sha256(content).hexdigest()
    return Kept(name=name, digest=digest, size=len(content), shown=(upload.name or "")[-80:])


def too_long() -> NotAPdf:
    """Also for an upload that was cut off on its way in."""
    return NotAPdf(what=pdf.TOO_LONG % {"limit": settings.REPORT_FILE_LIMIT // 1024**2}, do=pdf.SMALLER)


def of_word(word: str, *, by: int, about: str) -> Kept | None:
    """The file that a form's word stands for; None when it is too old, another's, or swept meanwhile."""
    try:
        said = signing.loads(word, salt=SALT, max_age=FORM_OPEN)
    except signing.BadSignature:
        return None
    if said.pop("by") != by or said.pop("about") != about:
        return None
    kept = Kept(**said)
    return kept if private_storage().exists(kept.name) else None


@contextmanager
def gone_unless_saved(kept: Kept | None) -> Iterator[None]:
    """When saving breaks the file goes at once; a refusal leaves it for the form's next try."""
    try:
        yield
    except Refused:
        raise
    except BaseException:
        discard(kept)
        raise


def discard(kept: Kept | None) -> None:
    """A file that no version speaks of."""
    if kept and not ReportVersion.objects.filter(file=kept.name).exists():
        private_storage().delete(kept.name)


def discard_replaced(name: str) -> None:
    """A draft's former file, once the transaction that replaced it is safe."""
    if name:
        transaction.on_commit(lambda: discard(Kept(name=name, digest="", size=0, shown="")), robust=True)


def content_of(version: ReportVersion) -> bytes:
    """The stored bytes, if they are what was stored. Raises ReportFileLost."""
    try:
        return storing.content_of(private_storage(), version.file.name, digest=version.file_digest)
    except FileLost as lost:
        log.error("report_file_lost", version=version.pk, error=type(lost.__cause__).__name__)
        raise ReportFileLost from None


def clean_up(*, now: datetime) -> int:
    """Delete stored files that no version speaks of for a day. Safe to repeat; returns how many went."""
    return storing.sweep(private_storage(), known=_spoken_of, now=now)


def _spoken_of(names: list[str]) -> set[str]:
    return set(ReportVersion.objects.filter(file__in=names).values_list("file", flat=True))
