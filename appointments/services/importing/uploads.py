"""Uploads: a file is looked at, kept encrypted until somebody decides, and then applied as it was seen, or not at all.

The hospital's workbook runs through here whole; a cutover file's own way begins in services.cutover.
"""

import base64
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from django.db import DataError, IntegrityError, transaction

from appointments.errors import ImportDecided, WholeHouseOnly
from appointments.models import ImportRun
from appointments.services.importing import Report, import_workbook
from hospital import audit
from hospital.models import Organization, User
from hospital.workbook.opening import about
from hospital.workbook.problems import Problem, WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.reader import read
from hospital.workbook.sheet import Content

Status = ImportRun.Status

KEPT = timedelta(days=1)
"""A preview that nobody decided on is given up after so long: its file holds people's data."""

MOST_KEPT = 5000
"""Problems or changes of one run that are kept to be shown; beyond it their number alone."""

LONGEST = 80  # of a cell's text as a message quotes it


@dataclass(frozen=True)
class Upload:
    """A file as it came, and for whom. `organizations`: the houses whose data the person may change."""

    name: str
    content: bytes
    organization: Organization
    organizations: frozenset[int]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def look(*, upload: Upload, retire_missing: bool, by: User, now: datetime) -> ImportRun:
    """Read the hospital's workbook and say what is wrong, or what would change. Changes nothing else."""
    run = ImportRun(
        organization=upload.organization, kind=ImportRun.Kind.HOSPITAL, name=upload.name[:120],
        digest=upload.digest, by=by, created_at=now,
    )  # fmt: skip
    _fill(run, upload.content, upload.organizations, retire_missing=retire_missing, now=now)
    with transaction.atomic():
        run.save()
        _trace("import.looked", run, by=by, now=now)
    return run


def look_again(
    *, run: ImportRun, organizations: frozenset[int], retire_missing: bool, by: User, now: datetime
) -> ImportRun:
    """The same file against what stands now. Raises ImportDecided."""
    content = content_of(run)
    _fill(run, content, organizations, retire_missing=retire_missing, now=now)
    with transaction.atomic():
        waiting(run)
        run.save(update_fields=["content", "rows", "status", "report"])
        _trace("import.looked", run, by=by, now=now)
    return run


def apply(*, run: ImportRun, organizations: frozenset[int], by: User, now: datetime) -> bool:
    """Do what the preview said, all or nothing. False: something else would happen by now, so nothing was done and the
    run holds a fresh preview. Raises ImportDecided, ImportUnderWay.
    """
    content, expected = content_of(run), run.report["digest"]
    retire = run.report["retire_missing"]
    try:
        with transaction.atomic():
            row = waiting(run)
            report = import_workbook(
                content=_read(content, row.name, organizations), apply=True, retire_missing=retire, now=now, by=by,
                expected=expected,
            )  # fmt: skip
            if report.applied:
                _decide(row, Status.APPLIED, by=by, now=now)
                _trace("import.applied", row, by=by, now=now, **report.counts())
                return True
            transaction.set_rollback(True)
    except (WrongWorkbook, IntegrityError):
        pass  # what stands has changed so that it does not fit any more: the fresh look says how
    look_again(run=run, organizations=organizations, retire_missing=retire, by=by, now=now)
    return False


@transaction.atomic
def discard(*, run: ImportRun, by: User | None, now: datetime) -> None:
    """Give a preview up; the file is forgotten. Raises ImportDecided."""
    row = waiting(run)
    row.status, row.content = Status.DISCARDED, ""
    row.save(update_fields=["status", "content"])
    _trace("import.discarded", row, by=by, now=now)


def forget_old(*, now: datetime) -> int:
    """Give up previews that nobody decided on for a day. Returns how many."""
    old = ImportRun.objects.filter(status=Status.CHECKED, created_at__lt=now - KEPT)
    return old.update(status=Status.DISCARDED, content="")


def content_of(run: ImportRun) -> bytes:
    """The file itself. Raises ImportDecided when it is no longer kept."""
    fresh = ImportRun.objects.get(pk=run.pk)
    if fresh.status not in {Status.CHECKED, Status.RUNNING}:
        raise ImportDecided(state=fresh.get_status_display())
    return base64.b64decode(fresh.content)


def packed(content: bytes) -> str:
    """As ImportRun.content keeps it (encrypted by its field)."""
    return base64.b64encode(content).decode()


def waiting(run: ImportRun) -> ImportRun:
    """The run's row, locked. Two people who press at once: the second hears what the first did."""
    row = ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if row.status != Status.CHECKED:
        raise ImportDecided(state=row.get_status_display())
    return row


def _decide(row: ImportRun, status: str, *, by: User, now: datetime) -> None:
    row.status, row.content, row.applied_at, row.applied_by = status, "", now, by
    row.save(update_fields=["status", "content", "applied_at", "applied_by"])


def _trace(action: str, run: ImportRun, *, by: User | None, now: datetime, **more) -> None:
    detail = {"kind": run.kind, "digest": run.digest, "rows": run.rows, "status": run.status, **more}
    audit.record(action=action, actor=by, now=now, subject=f"importrun:{run.pk}", detail=detail)


# ---- the look itself ----


def _fill(run: ImportRun, content: bytes, organizations: frozenset[int], *, retire_missing: bool, now: datetime):
    try:
        read_rows = _read(content, run.name, organizations)
        run.rows = sum(1 for _row in read_rows)
        report = import_workbook(content=read_rows, apply=False, retire_missing=retire_missing, now=now)
    except WrongWorkbook as wrong:
        run.status, run.content, run.report = Status.REFUSED, "", problems_as_json(wrong.problems)
    except (IntegrityError, DataError) as error:  # with what support staff wrote by hand, for instance
        rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or type(error).__name__
        clash = about(run.name, _("和系统中已有的数据冲突（%(rule)s）。"), _("请先核对后台里手工改过的行。"), rule=rule)
        run.status, run.content, run.report = Status.REFUSED, "", problems_as_json([clash])
    else:
        run.status, run.content = Status.CHECKED, packed(content)
        run.report = changes_as_json(report) | {"retire_missing": retire_missing, "digest": report.digest}


def _read(content: bytes, name: str, organizations: frozenset[int]) -> Content:
    found = read(BytesIO(content), name=name)
    problems = _of_other_houses(found, organizations)
    if problems:
        raise WrongWorkbook(problems)
    return found


def _of_other_houses(content: Content, organizations: frozenset[int]) -> list[Problem]:
    """A workbook changes the person's own houses and their branches, and no other house."""
    codes = [row.code for row in content["organization"]]
    known = {row.code: row for row in Organization.objects.filter(code__in=codes)}
    parents = {row.code: row.parent for row in content["organization"]}
    mine = set(Organization.objects.filter(pk__in=organizations).values_list("code", flat=True))

    def is_mine(code: str | None) -> bool:
        here = known.get(code)
        if code in mine or (here and here.parent_id in organizations):
            return True
        return here is None and code is not None and is_mine(parents.get(code))

    wrong, cure = _("您的岗位不包括这家机构。"), _("请从工作簿里删去这家机构和它的数据，或请有权限的同事导入。")
    return [row.problem("code", wrong, cure) for row in content["organization"] if not is_mine(row.code)]


def refuse_part_of_a_house(departments) -> None:
    """A workbook is the whole house's. Raises WholeHouseOnly to whoever works for one department."""
    if departments is not None:
        raise WholeHouseOnly


# ---- as the run keeps it ----


def problems_as_json(problems: list[Problem]) -> dict[str, Any]:
    kept = [asdict(one) | {"values": {k: _short(v) for k, v in one.values.items()}} for one in problems[:MOST_KEPT]]
    return {"problems": kept, "count": len(problems)}


def problem_of(kept: dict) -> Problem:
    return Problem(**kept)


def changes_as_json(report: Report) -> dict[str, Any]:
    changes = [
        {
            "kind": one.kind,
            "sheet": one.sheet,
            "row": one.row,
            "label": one.label,
            "fields": [[header, _short(before), _short(after)] for header, (before, after) in one.fields.items()],
        }
        for one in report.changes[:MOST_KEPT]
    ]
    stranded = [asdict(one) for one in report.stranded]
    return {"changes": changes, "counts": report.counts(), "stranded": stranded}


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
