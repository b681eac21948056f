"""Which stretches of which day a device's weekly hours yield, and who may book which part. Reads rows, writes nothing.

A holiday has no sessions; a make-up workday runs the hours of the weekday it follows (as 出诊 does). Wall times are the
hospital's; an end of 23:59 means midnight, since a day has no 24:00 on a clock.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from appointments.models import Pool
from appointments.services.allocation import make_own
from appointments.services.defaults import ensure_pools
from exams.models import Device, DeviceHours, DeviceReserve
from exams.selectors.rules import exam_rule
from hospital import clock
from hospital.models import CalendarDay, Organization

LAST_MINUTE = time(23, 59)
MIDNIGHT = time(0)


@dataclass(frozen=True)
class Part:
    """A reserved part of a stretch."""

    pool: int
    during: DateTimeTZRange
    shared_from: datetime | None


@dataclass(frozen=True)
class Stretch:
    """One session as the weekly hours want it."""

    device: int
    hours: int
    day: date
    during: DateTimeTZRange
    opens_at: datetime
    parts: tuple[Part, ...] = field(default=())


def span(day: date, starts: time, ends: time) -> DateTimeTZRange:
    """Wall times of a day as moments, the end excluded; 23:59 is the midnight that follows."""
    end = clock.at(day + timedelta(days=1), MIDNIGHT) if ends >= LAST_MINUTE else clock.at(day, ends)
    return DateTimeTZRange(clock.at(day, starts), end)


class Hours:
    """The weekly hours of an organization's devices with all that decides their days, read once for many days."""

    def __init__(self, *, organization: Organization, first_day: date, last_day: date, device: Device | None = None):
        self.organization = organization
        self.days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
        calendar = CalendarDay.objects.filter(organization=organization, day__range=(first_day, last_day))
        self.calendar = {row.day: row for row in calendar}
        devices = [device] if device else Device.objects.filter(organization=organization)
        rows = DeviceHours.objects.filter(device__in=devices, device__active=True, effective_from__lte=last_day)
        rows = rows.filter(Q(effective_to__isnull=True) | Q(effective_to__gte=first_day))
        self.by_weekday: dict[int, list[DeviceHours]] = defaultdict(list)
        found = list(rows.order_by("device", "starts", "pk"))
        for row in found:
            self.by_weekday[row.weekday].append(row)
        self.reserves: dict[int, list[DeviceReserve]] = defaultdict(list)
        for reserve in (
            DeviceReserve.objects.filter(hours__in=found).select_related("partner", "group").order_by("starts", "pk")
        ):
            self.reserves[reserve.hours_id].append(reserve)
        self._pools: dict[tuple, int] | None = None
        self._horizon = exam_rule(organization.pk, day=first_day).horizon_days

    def weekday_of(self, day: date) -> int | None:
        """The ISO weekday whose hours the day runs; None on a holiday."""
        special = self.calendar.get(day)
        if special is None:
            return day.isoweekday()
        return special.follows if special.kind == CalendarDay.Kind.WORKDAY else None

    def wanted(self) -> list[Stretch]:
        """In order of day, device and start."""
        return [stretch for day in self.days for stretch in self._of_day(day)]

    def _of_day(self, day: date) -> list[Stretch]:
        weekday = self.weekday_of(day)
        if weekday is None:
            return []
        opens_at = clock.days_before(day, self._horizon, MIDNIGHT)
        return [
            Stretch(
                device=row.device_id,
                hours=row.pk,
                day=day,
                during=span(day, row.starts, row.ends),
                opens_at=opens_at,
                parts=self._parts(row, day),
            )
            for row in self.by_weekday[weekday]
            if row.effective_from <= day and (row.effective_to is None or day <= row.effective_to)
        ]

    def _parts(self, hours: DeviceHours, day: date) -> tuple[Part, ...]:
        """The reserves within the hours; what reaches beyond them, or into the one before, is cut."""
        whole, parts = span(day, hours.starts, hours.ends), []
        free_from = whole.lower
        for reserve in self.reserves[hours.pk]:
            part = span(day, reserve.starts, reserve.ends)
            start, end = max(part.lower, free_from), min(part.upper, whole.upper)
            if start >= end:
                continue
            free_from = end
            shared = None
            if reserve.shared_minutes is not None:
                shared = start - timedelta(minutes=reserve.shared_minutes)
            parts.append(Part(self._pool(reserve), DateTimeTZRange(start, end), shared))
        return tuple(parts)

    def _pool(self, reserve: DeviceReserve) -> int:
        """Common ones every house has; a lower institution's or a group's own is made when it is first needed (P5)."""
        if self._pools is None:
            ensure_pools(self.organization)
            own = Pool.objects.filter(organization=self.organization)
            self._pools = {(pool.kind, pool.partner_id, pool.group_id): pool.pk for pool in own}
        key = (reserve.kind, reserve.partner_id, reserve.group_id)
        if key not in self._pools:
            self._pools[key] = make_own(self.organization, reserve).pk
        return self._pools[key]
