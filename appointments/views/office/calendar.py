"""节假日与调休 (P2): the days of a year that are not as their weekday says, and what stands on them already."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from appointments.errors import CalendarRefused
from appointments.forms.workdays import DayForm
from appointments.services import workdays
from hospital import clock
from hospital.errors import NotAllowed
from hospital.models import CalendarDay, Organization
from hospital.permissions import role_required

from . import reach as reaching

MOST_LINKED = 200  # schedules named in one address: a request's first line holds 4,000 characters


class _House:
    """A calendar is the whole house's: what covers() asks about a row."""

    department_id = None

    def __init__(self, organization: Organization):
        self.organization_id = organization.pk


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*reaching.READERS)
def calendar(request):
    """A year of one house. POST adds a day; with `day_id` it changes that one."""
    now = clock.now()
    today = clock.today(now)
    house, houses = _house(request)
    may_act = _may_act(request, house)
    edited = _edited(request, house)
    form = DayForm(request.POST or None, organization=house, today=today, row=edited)
    if request.method == "POST":
        if not may_act:
            raise NotAllowed
        if form.is_valid() and _kept(request, form, now):
            return redirect(_address(house, form.wanted.day.year))
    year = _year(request, today)
    rows = list(CalendarDay.objects.filter(organization=house, day__year=year).order_by("day"))
    standing = workdays.standing_on(organization=house, days=[row.day for row in rows if row.day >= today], now=now)
    context = {
        "form": form,
        "edited": edited,
        "house": house,
        "houses": houses,
        "year": year,
        "lines": [_line(row, standing.get(row.day)) for row in rows if row.day >= today],
        "past": [row for row in rows if row.day < today],
        "organizations": [house],
        "may_act": may_act,
        "today": today,
    }
    return render(request, "office/calendar.html", context)


def _line(row: CalendarDay, standing: workdays.Standing | None) -> dict:
    stop = "&".join(f"schedule={pk}" for pk in standing.with_patients[:MOST_LINKED]) if standing else ""
    more = len(standing.with_patients) - MOST_LINKED if standing else 0
    return {"row": row, "standing": standing, "stop": stop, "more": more}


def _kept(request, form: DayForm, now) -> bool:
    try:
        row = workdays.keep(row=form.wanted, by=request.user, now=now)
    except CalendarRefused as refusal:
        form.add_error("day", refusal.sentence)
        return False
    messages.success(request, _("已保存 %(day)s %(name)s。") % {"day": row.day, "name": row.name})
    found = workdays.standing_on(organization=row.organization, days=[row.day], now=now).get(row.day)
    if found:
        said = {"schedules": found.schedules, "patients": found.patients}
        text = _("这一天已排 %(schedules)s 个半天、已约 %(patients)s 人，都没有动。请在下表里处理。")
        messages.warning(request, text % said)
    return True


@require_POST
@role_required(*reaching.ACTORS)
def remove(request, pk):
    row = get_object_or_404(CalendarDay.objects.select_related("organization"), pk=pk)
    if not _may_act(request, row.organization):
        raise NotAllowed
    workdays.remove(row=row, by=request.user, now=clock.now())
    said = {"day": row.day, "name": row.name}
    messages.success(request, _("已删去 %(day)s %(name)s，这一天按平常的周几出诊。") % said)
    return redirect(_address(row.organization, row.day.year))


def _house(request) -> tuple[Organization, list[Organization]]:
    houses = list(
        Organization.objects.filter(pk__in=reaching.reach_of(request).organizations, active=True).order_by("pk")
    )
    asked = request.GET.get("house", "")
    chosen = next((row for row in houses if str(row.pk) == asked), None) or next(iter(houses), None)
    if chosen is None:
        raise NotAllowed
    return chosen, houses


def _edited(request, house: Organization) -> CalendarDay | None:
    asked = request.GET.get("day", "")
    return (
        CalendarDay.objects.filter(organization=house, pk=asked).first()
        if asked.isdecimal() and len(asked) < 19
        else None
    )


def _year(request, today) -> int:
    asked = request.GET.get("year", "")
    return int(asked) if asked.isdecimal() and len(asked) == 4 and 2000 <= int(asked) <= 2100 else today.year


def _may_act(request, house: Organization) -> bool:
    return reaching.may_act(request) and reaching.reach_of(request, *reaching.ACTORS).covers(_House(house))


def _address(house: Organization, year: int) -> str:
    return f"{reverse('appointments:office_calendar')}?house={house.pk}&year={year}"
