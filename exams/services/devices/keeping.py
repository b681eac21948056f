"""The office keeps devices, what they can do, their weekly hours and reserves, zones and teams (E1, E10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from exams.errors import HoursRefused
from exams.models import Device, DeviceAbility, DeviceHours, DeviceReserve, DeviceSession, ExamBooking
from exams.services import claims
from hospital import audit, clock, pinyin
from hospital.models import User

from .layout import Fitted, fit

Status = ExamBooking.Status


@dataclass(frozen=True)
class Weekly:
    """One weekly stretch, wall times."""

    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True)
class Reserve:
    """A part of every stretch of its weekday that it lies in."""

    weekday: int
    kind: str
    starts: time
    ends: time
    shared_minutes: int | None
    partner: int | None = None
    group: int | None = None


@transaction.atomic
def keep_device(
    *, device: Device, abilities: dict[int, int | None], by: User, now: datetime, before: dict | None = None
) -> Fitted:
    """Add a device or change one; `abilities`: variant id → minutes where it takes another time than usual. Raises
    HoursRefused for one that is put out of use, or gets another team, against what is booked."""
    if device.pk:
        _wait_for_bookings(device, now=now)
    full, initials = pinyin.of_thing(device.name)
    device.pinyin, device.initials = full[:200], initials[:40]
    coming = ExamBooking.objects.filter(device=device.pk, holds=True, during__endswith__gt=now)
    coming = coming.filter(status__in=[Status.PENDING, Status.BOOKED, Status.ARRIVED, Status.CALLED])
    if device.pk and not device.active and (count := coming.count()):
        raise HoursRefused(why=_("还有 %(n)s 项检查约在这台设备上，请先登记停机、为患者改约") % {"n": count})
    device.save()
    try:
        with transaction.atomic():
            coming.exclude(team=device.team_id).update(team=device.team_id)
    except IntegrityError as error:
        raise HoursRefused(why=_("新班组的人手不够做已约的检查")) from error
    keep_abilities(device, abilities)
    audit.record(
        action="device.kept", actor=by, now=now, subject=f"device:{device.pk}",
        detail={"before": before or {}, "after": said(device), "abilities": len(abilities)},
    )  # fmt: skip
    return fit(device=device, now=now)


def _wait_for_bookings(device: Device, *, now: datetime) -> None:
    """All that a change of its team touches, in the house's order; who is booking on it now is waited for and seen."""
    claims.lock_device(device)
    coming = ExamBooking.objects.filter(device=device.pk, holds=True, during__endswith__gt=now)
    there = DeviceSession.objects.filter(Q(day__gte=clock.today(now)) | Q(during__endswith__gt=now), device=device.pk)
    sessions = list(there.values_list("pk", flat=True))
    claims.lock_places(sessions=sessions, teams=[device.team_id, *coming.values_list("team_id", flat=True)])
    rows = list(coming.values_list("pk", "patient_id", "request_id"))
    claims.lock_people(
        bookings=[row[0] for row in rows], patients=[row[1] for row in rows], requests=[row[2] for row in rows]
    )


def said(device: Device) -> dict:
    """As the office calls it: the trail stands for itself when a room has another name."""
    said = {name: getattr(device, name) for name in ("code", "name", "modality", "active")}
    return said | {"room": str(device.room), "zone": str(device.zone), "staff": str(device.team or "")}


def keep_abilities(device: Device, wanted: dict[int, int | None]) -> None:
    there = dict(device.abilities.values_list("variant_id", "minutes"))
    device.abilities.exclude(variant__in=wanted).delete()
    for variant, minutes in wanted.items():
        if variant not in there:
            DeviceAbility.objects.create(device=device, variant_id=variant, minutes=minutes)
        elif there[variant] != minutes:
            device.abilities.filter(variant=variant).update(minutes=minutes)


def problem_of(hours: Iterable[Weekly], reserves: Iterable[Reserve]) -> str | None:
    """What cannot be of a week. Pure."""
    hours, reserves = list(hours), list(reserves)
    for rows, words in ((hours, _("同一天的两段开机时间重叠")), (reserves, _("同一天的两段预留重叠"))):
        for one in rows:
            if one.ends <= one.starts:
                return _("结束要晚于开始")
            for other in rows:
                if one is not other and one.weekday == other.weekday and _meet(one, other):
                    return words
    for reserve in reserves:
        inside = [each for each in hours if each.weekday == reserve.weekday]
        if not any(each.starts <= reserve.starts and reserve.ends <= each.ends for each in inside):
            return _("预留要落在当天的一段开机时间里")
    return None


def _meet(one, other) -> bool:
    return one.starts < other.ends and other.starts < one.ends


@transaction.atomic
def keep_hours(
    *, device: Device, first_day: date, hours: list[Weekly], reserves: list[Reserve], by: User, now: datetime
) -> Fitted:
    """The device's week from `first_day` on: what held until then ends the day before. Coming sessions follow at once;
    the answer says which could not because exams are booked in them. Raises HoursRefused."""
    Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    if first_day < clock.today(now):
        raise HoursRefused(why=_("生效日已经过去，最早从今天起"))
    if problem := problem_of(hours, reserves):
        raise HoursRefused(why=problem)
    before = DeviceHours.objects.filter(device=device)
    before = before.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=first_day))
    gone = before.filter(effective_from__gte=first_day)
    orphans = list(DeviceSession.objects.filter(hours__in=gone).values_list("pk", flat=True))
    count = before.count()
    gone.delete()
    before.update(effective_to=first_day - timedelta(days=1))
    for each in hours:
        row = DeviceHours.objects.create(
            device=device, weekday=each.weekday, starts=each.starts, ends=each.ends, effective_from=first_day
        )
        DeviceReserve.objects.bulk_create(_reserves_of(row, reserves))
    audit.record(
        action="device.hours_kept", actor=by, now=now, subject=f"device:{device.pk}",
        detail={"before": count, "after": len(hours), "reserves": len(reserves), "from": first_day.isoformat()},
    )  # fmt: skip
    return fit(device=device, orphans=orphans, now=now)


def _reserves_of(row: DeviceHours, reserves: list[Reserve]) -> list[DeviceReserve]:
    return [
        DeviceReserve(
            hours=row, kind=each.kind, partner_id=each.partner, group_id=each.group, starts=each.starts,
            ends=each.ends, shared_minutes=each.shared_minutes,
        )
        for each in reserves
        if each.weekday == row.weekday and row.starts <= each.starts and each.ends <= row.ends
    ]  # fmt: skip
