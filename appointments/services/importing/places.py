"""机构, 院区, 科室, 诊室, 号别 and their prices."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from appointments.services.importing.matching import Import, Wanted, bring, deactivate
from hospital import pinyin
from hospital.models import Campus, Department, HealthcareService, Organization, PriceItem, Room
from hospital.workbook import spec
from hospital.workbook.sheet import Content, Row


def sounds(row: Row, read=pinyin.of_thing) -> dict[str, str]:
    """Pinyin and initials as written, or as computed when the cells are empty; cut to what the columns hold."""
    full, initials = read(row.name)
    return {"pinyin": (row.pinyin or full)[:200], "initials": (row.initials or initials)[:40]}


def organizations(run: Import, content: Content) -> None:
    """Parents before their branches, since a branch names its parent."""
    rows = {row.code: row for row in content["organization"]}

    def depth(row: Row) -> int:
        return 0 if row.parent is None else 1 + depth(rows[row.parent])

    known = {(row.code,): row for row in Organization.objects.filter(code__in=rows)}
    known |= {(row.code,): row for row in Organization.objects.filter(parent__code__in=rows)}
    missing = {key: row for key, row in known.items() if key[0] not in rows}
    placed: dict[tuple, Organization] = {}
    levels = defaultdict(list)
    for row in content["organization"]:
        levels[depth(row)].append(row)
    names = ("code", "name", "short_name", "kind", "phone", "active")
    for level in sorted(levels):
        wanted = [
            Wanted((row.code,), row.number, row.name,
                   _values(row, *names) | sounds(row) | {"parent": placed.get((row.parent,))})
            for row in levels[level]
        ]  # fmt: skip
        mine = {want.key: known[want.key] for want in wanted if want.key in known}
        placed |= bring(
            run,
            model=Organization,
            sheet=spec.ORGANIZATIONS,
            existing=mine | (missing if level == 0 else {}),
            wanted=wanted,
            retire=deactivate(run),
        )
    run.places["organization"] = {key[0]: row for key, row in placed.items()}


def campuses(run: Import, content: Content) -> None:
    homes = run.places["organization"]
    existing = {(row.organization.code, row.code): row for row in _of(Campus, homes)}
    wanted = [
        Wanted((row.organization, row.code), row.number, row.name,
               _values(row, "code", "name", "address", "transit", "active") | sounds(row)
               | {"organization": homes[row.organization]})
        for row in content["campus"]
    ]  # fmt: skip
    placed = bring(run, model=Campus, sheet=spec.CAMPUSES, existing=existing, wanted=wanted, retire=deactivate(run))
    run.places["campus"] = {key[1]: row for key, row in placed.items()}


def departments(run: Import, content: Content) -> None:
    homes, campuses = run.places["organization"], run.places["campus"]
    existing = {(row.organization.code, row.code): row for row in _of(Department, homes).select_related("campus")}
    wanted = []
    for row in content["department"]:
        campus = campuses[row.campus]
        values = _values(row, "code", "name", "specialty", "group", "location", "order", "active")
        values |= sounds(row) | {"campus": campus, "organization": campus.organization}
        wanted.append(Wanted((campus.organization.code, row.code), row.number, row.name, values))
    placed = bring(
        run, model=Department, sheet=spec.DEPARTMENTS, existing=existing, wanted=wanted, retire=deactivate(run)
    )
    run.places["department"] = {key[1]: row for key, row in placed.items()}


def rooms(run: Import, content: Content) -> None:
    campuses, departments = run.places["campus"], run.places["department"]
    known = Room.objects.filter(campus__organization__in=run.places["organization"].values())
    existing = {(row.campus.code, row.code): row for row in known.select_related("campus", "department")}
    wanted = [
        Wanted((row.campus, row.code), row.number, f"{row.floor} {row.name}".strip(),
               _values(row, "code", "name", "floor", "active")
               | {"campus": campuses[row.campus], "department": departments.get(row.department)})
        for row in content["room"]
    ]  # fmt: skip
    placed = bring(run, model=Room, sheet=spec.ROOMS, existing=existing, wanted=wanted, retire=deactivate(run))
    run.places["room"] = {key[1]: row for key, row in placed.items()}


def services(run: Import, content: Content) -> None:
    """号别 of each institution; the price code of a service is its own code."""
    homes = run.places["organization"]
    existing = {(row.organization.code, row.code): row for row in _of(HealthcareService, homes)}
    wanted: dict[tuple, Wanted] = {}
    for row in content["service"]:
        values = _values(row, "code", "name", "kind", "level", "limits_exempt", "active") | {"price_code": row.code}
        for code in row.organizations or (run.hospital,):
            wanted.setdefault(
                (code, row.code), Wanted((code, row.code), row.number, row.name, values | {"organization": homes[code]})
            )
    run.places["service"] = bring(
        run, model=HealthcareService, sheet=spec.SERVICES, existing=existing, wanted=wanted.values(),
        retire=deactivate(run),
    )  # fmt: skip


def prices(run: Import, content: Content, *, today: date) -> None:
    """Each price holds until the day before the next one. What has been in force stays: bills refer to it."""
    homes = run.places["organization"]
    existing = {(row.organization.code, row.code, row.effective_from): row for row in _of(PriceItem, homes)}
    rows = {
        (code, row.code, row.effective_from): row
        for row in content["service"]
        for code in row.organizations or (run.hospital,)
    }
    gone = {
        key
        for key, price in existing.items()
        if key not in rows and run.retire_missing and price.effective_from > today
    }
    starts: dict[tuple, list[date]] = defaultdict(list)
    for key in (existing.keys() | rows.keys()) - gone:
        starts[key[:2]].append(key[2])

    def last_day(key: tuple) -> date | None:
        later = [day for day in starts[key[:2]] if day > key[2]]
        return min(later) - timedelta(days=1) if later else None

    def retire(price: PriceItem) -> bool:
        if price.effective_from <= today:
            return False
        if run.retire_missing:
            price.delete()
        return True

    wanted = [
        Wanted(key, row.number, f"{row.name} {row.effective_from}",
               {"organization": homes[key[0]], "code": row.code, "name": row.name, "amount": row.amount,
                "effective_from": row.effective_from, "effective_to": last_day(key)})
        for key, row in rows.items()
    ]  # fmt: skip
    bring(run, model=PriceItem, sheet=spec.SERVICES, existing=existing, wanted=wanted, retire=retire)


def _of(model, homes: dict[str, Organization]):
    return model.objects.filter(organization__in=homes.values()).select_related("organization")


def _values(row: Row, *names: str) -> dict[str, Any]:
    return {name: row.values[name] for name in names}
