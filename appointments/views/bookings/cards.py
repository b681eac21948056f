"""我的预约, the page of one booking, the success card, and its file for a calendar."""

from datetime import datetime

import segno
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments import calendar_file
from appointments.models import Appointment, Schedule
from appointments.selectors import bookings as selectors
from appointments.selectors import rules, slips
from appointments.selectors.patient import waits
from appointments.views.patient.addresses import page_of
from hospital import clock
from hospital.permissions import patient_required
from hospital.views.own import own_of

from .reach import own_booking

PER_PAGE = 10


@require_safe
@never_cache
@patient_required
def bookings(request: HttpRequest):
    """All people of the account, or one of them; what is ahead on top, what is over by pages."""
    now, own = clock.now(), own_of(request)
    page = Paginator(selectors.past(request.user, person=own.person, now=now), PER_PAGE).get_page(
        request.GET.get("page")
    )
    ahead = selectors.coming(request.user, person=own.person, now=now) if page.number == 1 else []
    waiting = waits.waits_of(own.chosen, account=request.user, now=now) if page.number == 1 else []
    offered = {each.offer.appointment_id for each in waiting if each.offered}
    ahead = [row for row in ahead if row.pk not in offered]
    context = own.shown() | {
        "waiting": waiting,
        "offered": bool(offered),
        "coming": selectors.cards_of(ahead, account=request.user, now=now),
        "page": page,
        "past": selectors.cards_of(page, account=request.user, now=now),
        "now": now,
    }
    return render(request, "bookings/list.html", context)


@require_safe
@never_cache
@patient_required
def booking(request: HttpRequest, pk: int):
    """A number offered from the waitlist is taken or given up on its own page (B9)."""
    row = own_booking(request, pk)
    entry = waits.entry_of_hold(row) if row.status == Appointment.Status.PENDING else None
    return redirect("appointments:waiting", entry) if entry else _show(request, row, done=False)


@require_safe
@never_cache
@patient_required
def booking_done(request: HttpRequest, pk: int):
    """预约成功: to keep as a picture. What was given back since is not a success any more."""
    row = own_booking(request, pk)
    if row.status != Appointment.Status.BOOKED:
        return redirect("appointments:booking", row.pk)
    return _show(request, row, done=True)


def _show(request: HttpRequest, row: Appointment, *, done: bool):
    now = clock.now()
    [card] = selectors.cards_of([row], account=request.user, now=now)
    context = {
        "card": card,
        "row": row,
        "schedule": row.schedule,
        "done": done,
        "document": row.patient.identifiers.order_by("pk").last(),
        "code": code_of(card),
        "too_late": now > card.cancel_by,
        "house": rules.organization_booking_rule(row.schedule.organization_id, day=clock.today(now)),
        "slots_at": _same_place(row.schedule),
        "now": now,
    }
    return render(request, "bookings/booking.html", context)


def _same_place(schedule: Schedule) -> str:
    return page_of(
        role=schedule.role_id, team=schedule.team_id, department=schedule.department_id, service=schedule.service_id
    )


def code_of(card: selectors.Card) -> str:
    """What the desk scans to find the person; only while there is a visit to come to."""
    if not card.row.basket or not (card.booked or card.arrived):
        return ""
    drawn = segno.make(slips.code_of(card.row.basket), error="m")
    return mark_safe(drawn.svg_inline(omitsize=True, svgclass=None, lineclass=None))  # noqa: S308 - drawn by us


@require_safe
@never_cache
@patient_required
def booking_calendar(request: HttpRequest, pk: int):
    """One event, for the phone's own calendar: a later file of the same booking changes it."""
    row = own_booking(request, pk)
    now = clock.now()
    text = calendar_file.text_of(_entry(row, now=now), now=now)
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="booking-{row.pk}.ics"'
    return response


def _entry(row: Appointment, *, now) -> calendar_file.Entry:
    """Names masked as on the page; the phone's calendar is read by others, too."""
    card = selectors.card_of(row, now=now)
    schedule = row.schedule
    campus = schedule.campus
    gone = row.status == Appointment.Status.CANCELLED or card.lapsed
    room = f"{campus.name} {row.department.way_to(schedule.room)}"
    number = {"person": card.masked, "number": row.slot.number, "at": _hour(row.slot.start)}
    desk = {"at": _hour(card.begins), "campus": campus.name, "place": row.department.location}
    lines = [
        _("就诊人：%(person)s，第%(number)s号，大约%(at)s叫到") % number,
        _("请带预约时用的证件原件和医保卡，%(at)s前15分钟到%(campus)s%(place)s导诊台报到。") % desk,
        _("乘车：%(transit)s") % {"transit": campus.transit} if campus.transit else "",
        _("如不能来，请在%(until)s前退号或改约。") % {"until": selectors.in_words(card.cancel_by)}
        if now <= card.cancel_by
        else _("网上退号时间已过；如不能来，请到窗口退号，不要空着号不来。"),
    ]
    return calendar_file.Entry(
        uid=f"appointment-{row.pk}@{schedule.organization.code.lower()}.hospital",
        sequence=selectors.times_moved(row) + gone,
        starts=card.begins,  # as on the card: one time for one booking
        ends=card.ends,
        summary=_("就诊：%(department)s %(doctor)s") % {"department": row.department, "doctor": schedule.actor_name},
        location=" ".join(filter(None, [schedule.organization.name, room, campus.address])),
        description="\n".join(filter(None, lines)),
        cancelled=gone,
    )


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%H:%M}"
