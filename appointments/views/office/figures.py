"""Pages of figures over some days: the house and the days looked at, and all tables as a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import urlencode

from appointments.forms.looking import DaysForm
from hospital import audit, clock
from hospital.models import Organization

from .sheets import file_answer, workbook


@dataclass(frozen=True)
class Look:
    """`houses`: all that may be looked at; both days included."""

    house: Organization
    houses: list[Organization]
    first: date
    last: date
    now: datetime

    @property
    def asked(self) -> dict[str, Any]:
        """As the counting functions take it."""
        return {"organization": self.house.pk, "first": self.first, "last": self.last}

    @property
    def span(self) -> str:
        """Days and house as an address."""
        return urlencode({"first": self.first, "last": self.last, "house": self.house.pk})

    def framed(self, **more) -> dict:
        shown = {"house": self.house, "houses": self.houses, "first": self.first, "last": self.last, "span": self.span}
        return shown | more


def look(request: HttpRequest, reach: Iterable[int], form: DaysForm) -> Look:
    """?house= within `reach`, else the first of it. Raises Http404 where there is none."""
    houses = list(Organization.objects.filter(pk__in=reach).order_by("pk"))
    if not houses:
        raise Http404
    said, now = request.GET.get("house", ""), clock.now()
    house = next((one for one in houses if str(one.pk) == said), houses[0])
    return Look(house, houses, *form.days(clock.today(now)), now)


def exported(request: HttpRequest, looked: Look, sheets: Iterable, *, what: str, name: str) -> HttpResponse:
    """Leaves an audit row."""
    content, count = workbook(sheets)
    days = {"from": f"{looked.first}", "to": f"{looked.last}"}
    detail = {"what": what, "rows": count, "house": looked.house.pk, **days}
    audit.record(action="office.exported", actor=request.user, now=looked.now, request=request, detail=detail)
    return file_answer(content, f"{name}-{looked.first:%Y%m%d}-{looked.last:%Y%m%d}.xlsx")
