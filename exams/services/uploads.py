"""Uploads of the devices' workbook: looked at, kept encrypted until somebody decides, applied as it was seen or not at
all. The row, the limits and the way problems are kept are those of the hospital's workbook."""

from datetime import datetime
from io import BytesIO

from django.db import DataError, IntegrityError, transaction

from appointments.models import ImportRun
from appointments.services.importing import uploads as house
from appointments.services.importing.report import Report
from exams.services import importing
from hospital import audit
from hospital.models import User
from hospital.workbook.opening import about
from hospital.workbook.problems import WrongWorkbook
from hospital.workbook.problems import mark as _
from hospital.workbook.reader import in_order, read_all
from hospital.workbook.sheet import Content

Status = ImportRun.Status


def look(*, upload: house.Upload, by: User, now: datetime) -> ImportRun:
    """Read the workbook and say what is wrong, or what would change. Changes nothing else."""
    run = ImportRun(
        organization=upload.organization, kind=ImportRun.Kind.EXAMS, name=upload.name[:120], digest=upload.digest,
        by=by, created_at=now,
    )  # fmt: skip
    _fill(run, upload.content, by=by, now=now)
    with transaction.atomic():
        run.save()
        _trace("import.looked", run, by=by, now=now)
    return run


def apply(*, run: ImportRun, by: User, now: datetime) -> bool:
    """Do what the preview said, all or nothing. False: something else would happen by now, so nothing was done and the
    run holds a fresh preview. Raises ImportDecided."""
    content, expected = house.content_of(run), run.report["digest"]
    try:
        with transaction.atomic():
            row = house.waiting(run)
            report = importing.bring_in(
                content=_read(content, row.name), organization=row.organization, apply=True, by=by, now=now,
                expected=expected,
            )  # fmt: skip
            if report.applied:
                row.status, row.content, row.applied_at, row.applied_by = Status.APPLIED, "", now, by
                row.save(update_fields=["status", "content", "applied_at", "applied_by"])
                _trace("import.applied", row, by=by, now=now, **report.counts())
                return True
            transaction.set_rollback(True)
    except (WrongWorkbook, IntegrityError):
        pass  # what stands has changed so that it does not fit any more: the fresh look says how
    _fill(run, content, by=by, now=now)
    with transaction.atomic():
        house.waiting(run)
        run.save(update_fields=["content", "rows", "status", "report"])
    return False


def _fill(run: ImportRun, content: bytes, *, by: User, now: datetime) -> None:
    try:
        read_rows = _read(content, run.name)
        run.rows = sum(1 for _row in read_rows)
        report = importing.bring_in(content=read_rows, organization=run.organization, apply=False, by=by, now=now)
    except WrongWorkbook as wrong:
        run.status, run.content, run.report = Status.REFUSED, "", house.problems_as_json(wrong.problems)
    except (IntegrityError, DataError) as error:
        rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or type(error).__name__
        clash = about(
            run.name, _("和系统中已有的数据冲突（%(rule)s）。"), _("请先核对系统里已有的设备和项目。"), rule=rule
        )
        run.status, run.content, run.report = Status.REFUSED, "", house.problems_as_json([clash])
    else:
        run.status, run.content, run.report = Status.CHECKED, house.packed(content), _as_json(report)


def _as_json(report: Report) -> dict:
    return house.changes_as_json(report) | {"retire_missing": False, "digest": report.digest}


def _read(content: bytes, name: str) -> Content:
    found, problems = read_all(BytesIO(content), name=name, sheets=importing.SHEETS)
    if problems:
        raise WrongWorkbook(in_order(problems, importing.SHEETS))
    return found


def _trace(action: str, run: ImportRun, *, by: User, now: datetime, **more) -> None:
    detail = {"kind": run.kind, "digest": run.digest, "rows": run.rows, "status": run.status, **more}
    audit.record(action=action, actor=by, now=now, subject=f"importrun:{run.pk}", detail=detail)
