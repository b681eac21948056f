"""The look at a cutover file, and the word to go."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

from django.db import transaction

from appointments.models import ImportLine, ImportRun, PatientSuspension
from appointments.services.cutover import bookings, people
from appointments.services.cutover.verdicts import THERE, WAITING, Outcome, Verdict, listed, refused
from appointments.services.importing import uploads
from appointments.services.importing.uploads import Upload
from hospital import audit, clock
from hospital.models import ExternalRecord, User
from hospital.workbook.cutover import SHEETS, SUSPENSIONS
from hospital.workbook.problems import Problem, WrongWorkbook
from hospital.workbook.reader import EMPTY, in_order, read_all
from hospital.workbook.sheet import Content, Row

PLACES = {sheet.key: place for place, sheet in enumerate(SHEETS)}


def look(*, upload: Upload, system: str, by: User, now: datetime) -> ImportRun:
    """Check every row without importing any. A file that can't be read as a whole is refused with what is wrong.

    `system` names the system before; its numbers are its own, and those of one house never meet another's.
    """
    run = ImportRun(
        organization=upload.organization, kind=ImportRun.Kind.CUTOVER, name=upload.name[:120], digest=upload.digest,
        by=by, created_at=now,
    )  # fmt: skip
    lines: list[ImportLine] = []
    try:
        content = read_file(upload.content, upload.name)
    except WrongWorkbook as wrong:
        run.status, run.report = ImportRun.Status.REFUSED, uploads.problems_as_json(_nameless(wrong.problems))
    else:
        run.status, run.content = ImportRun.Status.CHECKED, uploads.packed(upload.content)
        run.report = {"system": system_of(upload.organization.code, system)}
        lines = list(_lines(content, run, now=now))
        run.rows = len(lines)
    with transaction.atomic():
        run.save()
        for line in lines:
            line.run = run
        ImportLine.objects.bulk_create(lines, batch_size=2000)
        detail = {"kind": run.kind, "digest": run.digest, "rows": run.rows, "status": run.status}
        audit.record(action="import.looked", actor=by, now=now, subject=f"importrun:{run.pk}", detail=detail)
    return run


@transaction.atomic
def start(*, run: ImportRun, by: User, now: datetime) -> ImportRun:
    """From now on the worker imports what waits. Raises ImportDecided."""
    row = uploads.waiting(run)
    row.status, row.applied_by = ImportRun.Status.RUNNING, by
    row.save(update_fields=["status", "applied_by"])
    audit.record(
        action="import.started", actor=by, now=now, subject=f"importrun:{row.pk}",
        detail={"kind": row.kind, "digest": row.digest, "rows": row.rows},
    )  # fmt: skip
    return row


SYSTEM = "cutover:"
"""What the names of systems before begin with in ExternalRecord."""


def came_by_cutover(appointment: int) -> bool:
    """Booked in the system before: its patient knows, and is not told of a new booking."""
    return ExternalRecord.objects.filter(subject=f"appointment:{appointment}", system__startswith=SYSTEM).exists()


def system_of(code: str, system: str) -> str:
    """As ExternalRecord keeps it: apart from systems that are linked for good, and from other houses'."""
    return f"{SYSTEM}{code}:{system}".rstrip(":")[:40]


def read_file(content: bytes, name: str) -> Content:
    """Every row, wrong cells marked in it. Raises WrongWorkbook for what is wrong with the file as a whole."""
    found, problems = read_all(BytesIO(content), name=name, sheets=SHEETS)
    wrong = {(row.sheet.title, row.number) for row in found if row.wrong}
    whole = [one for one in problems if (one.sheet, one.row) not in wrong]
    if whole:
        raise WrongWorkbook(in_order(whole, SHEETS))
    empty = {(one.sheet, one.row, one.column) for one in problems if one.wrong == EMPTY}
    for row in found:
        row.values["_empty"] = {
            name for name in row.wrong
            if (row.sheet.title, row.number, f"{row.letters.get(name, '')} {row.sheet.column(name).header}") in empty
        }  # fmt: skip
    return found


def _nameless(problems: list[Problem]) -> list[Problem]:
    """Nothing that stands in a cell is kept. Where the row of headers is missing, the first person stands there."""
    headers = {column.header for sheet in SHEETS for column in sheet.columns}
    titles = {sheet.title for sheet in SHEETS}
    kept = []
    for one in problems:
        letter, _blank, header = one.column.partition(" ")
        column = one.column if header in headers or one.column in headers else letter[:3]
        values = dict(one.values)
        if "title" in values and values["title"] not in titles:
            values["title"] = f"{values['title'][:1]}…"
        sheet = one.sheet if one.sheet in titles or "title" not in values else values["title"]
        kept.append(Problem(sheet, one.row, column, one.wrong, one.cure, values))
    return kept


def of_cells(row: Row) -> Verdict | None:
    """All cells that can't be read."""
    if not row.wrong:
        return None
    headers = [column.header for column in row.sheet.columns if column.name in row.wrong]
    return refused("empty" if row.wrong <= row.values["_empty"] else "cell", listed(headers))


# ---- every row ----


def _lines(content: Content, run: ImportRun, *, now: datetime) -> Iterator[ImportLine]:
    system, organization = run.report["system"], run.organization_id
    accepted, verdicts = _of_people(content["patient"], system=system, now=now)
    yield from _as_lines(content["patient"], verdicts)
    known = known_patients(content, system=system)
    yield from _as_lines(
        content["booking"],
        _of_bookings(content["booking"], known, accepted, organization=organization, system=system, now=now),
    )
    yield from _as_lines(content["suspension"], _of_suspensions(content["suspension"], known, accepted, now=now))


def _as_lines(rows: list[Row], verdicts: list[Verdict]) -> Iterator[ImportLine]:
    for row, verdict in zip(rows, verdicts, strict=True):
        yield ImportLine(
            place=PLACES[row.sheet.key], row=row.number, outcome=verdict.outcome, code=verdict.code,
            column=verdict.column,
        )  # fmt: skip


def _of_people(rows: list[Row], *, system: str, now: datetime) -> tuple[set[str], list[Verdict]]:
    """Numbers of those who are or will be here, and each row's verdict."""
    read = [of_cells(row) or people.read(row, now=now) for row in rows]
    persons = [one for one in read if isinstance(one, people.Person)]
    index = people.index_of(persons, [row.code for row in rows if row.code], system=system)
    numbers = Counter(row.code for row in rows)
    papers = Counter(person.key for person in persons)
    verdicts, accepted = [], set()
    for row, one in zip(rows, read, strict=True):
        if isinstance(one, Verdict):
            verdict = one
        elif numbers[row.code] > 1:
            verdict = refused("same_number", row.sheet.column("code").header)
        elif papers[one.key] > 1:
            verdict = refused("same_person", row.sheet.column("document").header)
        else:
            verdict = people.verdict(row, one, index)
        verdicts.append(verdict)
        if verdict.outcome != Outcome.REFUSED:
            accepted.add(row.code)
    return accepted, verdicts


def known_patients(content: Content, *, system: str) -> dict[str, int]:
    """Numbers of theirs that are linked already → our patient."""
    named = {row.patient for key in ("booking", "suspension") for row in content[key] if row.patient}
    rows = ExternalRecord.objects.filter(system=system, kind=ExternalRecord.Kind.PATIENT, number__in=named)
    return dict(rows.values_list("number", "patient"))


def _of_bookings(
    rows: list[Row], known: dict[str, int], accepted: set[str], *, organization: int, system: str, now: datetime
) -> list[Verdict]:
    sound = [row for row in rows if not row.wrong]
    ground = bookings.ground_of(
        sound, organization_id=organization, system=system, patients=known.values(), today=clock.today(now)
    )
    numbers = Counter(row.code for row in rows)
    verdicts = []
    for row in rows:
        patient = known.get(row.patient) or (row.patient if row.patient in accepted else None)
        found = None
        if cell := of_cells(row):
            verdict = cell
        elif numbers[row.code] > 1:
            verdict = refused("same_number", row.sheet.column("code").header)
        else:
            verdict, found = bookings.verdict(row, patient, ground, now=now)
        if found and verdict.outcome == Outcome.WAITING:
            bookings.claim(row, found, patient, ground)
        verdicts.append(verdict)
    return verdicts


def _of_suspensions(rows: list[Row], known: dict[str, int], accepted: set[str], *, now: datetime) -> list[Verdict]:
    seen: set[tuple] = set()
    verdicts = []
    there = set(
        PatientSuspension.objects.filter(patient__in=known.values(), lifted_at=None).values_list(
            "patient", "starts_at", "ends_at"
        )
    )
    for row in rows:
        key = (row.patient, row.first, row.last)
        if cell := of_cells(row):
            verdict = cell
        elif key in seen:
            verdict = refused("same_row")
        else:
            verdict = of_suspension(row, known.get(row.patient), row.patient in accepted, there, now=now)
        seen.add(key)
        verdicts.append(verdict)
    return verdicts


def of_suspension(row: Row, patient: int | None, comes: bool, there: set[tuple], *, now: datetime) -> Verdict:
    """`comes`: the person is a row of the same file. `there`: (patient, starts, ends) of those that stand."""
    if patient is None and not comes:
        return refused("unknown_patient", SUSPENSIONS.column("patient").header)
    if row.last < row.first:
        return refused("dates", SUSPENSIONS.column("last").header)
    if row.last < clock.today(now):
        return refused("over", SUSPENSIONS.column("last").header)
    return THERE if (patient, *span_of(row)) in there else WAITING


def span_of(row: Row) -> tuple[datetime, datetime]:
    """From the first day's beginning to the last day's end."""
    return clock.at(row.first, datetime.min.time()), clock.days_before(row.last, -1, datetime.min.time())
