"""我的检查, the page of one exam, what to keep as a picture, and its file for a calendar."""

from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from appointments import calendar_file
from exams.models import ExamBooking
from exams.policies.self_service import in_words
from exams.selectors import mine as selectors
from exams.services import reminders
from hospital import clock
from hospital.models import Fact, User
from hospital.permissions import patient_required
from hospital.views.own import own_of

from .reach import own_booking

PER_PAGE = 10


@require_safe
@never_cache
@patient_required
def mine(request: HttpRequest):
    """All people of the account, or one of them: to be booked, booked by trip, what is over by pages."""
    now, own = clock.now(), own_of(request)
    over = selectors.past(request.user, person=own.person, now=now)
    page = Paginator(over, PER_PAGE).get_page(request.GET.get("page"))
    first = page.number == 1
    ahead = selectors.coming(request.user, person=own.person, now=now) if first else []
    wanted = selectors.to_book(request.user, person=own.person, now=now) if first else []
    context = own.shown() | {
        "to_book": selectors.by_person(wanted),
        "trips": selectors.trips_of(selectors.cards_of(ahead, now=now)),
        "page": page,
        "past": selectors.cards_of(page, now=now),
        "now": now,
    }
    return render(request, "exams/patient/list.html", context)


@require_safe
@never_cache
@patient_required
def exam(request: HttpRequest, pk: int):
    """A held one is confirmed on its own page."""
    row = own_booking(request, pk)
    [card] = selectors.cards_of([row], now=clock.now())
    return redirect("exams:my_exam_confirm", row.pk) if card.pending else _show(request, row, done=False)


@require_safe
@never_cache
@patient_required
def exam_done(request: HttpRequest, pk: int):
    """预约成功: to keep as a picture, with all that was booked together."""
    row = own_booking(request, pk)
    if row.status != ExamBooking.Status.BOOKED:
        return redirect("exams:my_exam", row.pk)
    return _show(request, row, done=True)


def _show(request: HttpRequest, row: ExamBooking, *, done: bool):
    now = clock.now()
    [card] = selectors.cards_of([row], now=now)
    mates = selectors.bookings_of(request.user).filter(patient=row.patient_id, status=ExamBooking.Status.BOOKED)
    mates = mates.filter(basket=row.basket) if done and row.basket else mates.filter(day=row.day)
    booked = list(mates.filter(holds=True).order_by("during", "pk")) if card.booked else []
    others = selectors.beside(request.user, person=row.patient_id, days=[each.day for each in booked]) if done else ()
    trips = selectors.trips_of(selectors.cards_of(booked, now=now), beside=others)
    context = {
        "card": card,
        "row": row,
        "trip": next((trip for trip in trips if trip.day == row.day), None),
        "trips": trips,
        "mates": [each for trip in trips for each in trip.cards if each.row.pk != row.pk],
        "document": row.patient.identifiers.order_by("pk").last(),
        "report": getattr(row, "report", None) if row.status == ExamBooking.Status.DONE else None,
        "done": done,
        "reminded": done and reminders.still_comes(booked, now=now),
        "now": now,
    }
    return render(request, "exams/patient/exam.html", context)


@require_safe
@never_cache
@patient_required
def exam_calendar(request: HttpRequest, pk: int):
    """One event, for the phone's own calendar: a later file of the same exam changes it."""
    row = own_booking(request, pk)
    now = clock.now()
    response = HttpResponse(
        calendar_file.text_of(_entry(row, account=request.user, now=now), now=now),
        content_type="text/calendar; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="exam-{row.pk}.ics"'
    return response


def _entry(row: ExamBooking, *, account: User, now: datetime) -> calendar_file.Entry:
    """Names masked as on the page; the phone's calendar is read by others, too."""
    [card] = selectors.cards_of([row], now=now)
    [trip] = selectors.trips_of([card], beside=selectors.beside(account, person=row.patient_id, days=[row.day]))
    gone = card.over or card.displaced
    house = row.request.organization
    lines = [
        _("就诊人：%(person)s") % {"person": card.masked},
        _("请%(at)s到，带证件原件到%(place)s报到。") % {"at": _hour(card.arrive), "place": card.place},
        *(_prepared(step) for step in ([] if gone else trip.steps)),
        _("如不能来，请在%(until)s前取消或改时间。") % {"until": in_words(card.cancel_by)}
        if not card.no_cancel
        else "",
    ]
    moves = Fact.objects.filter(key=f"exam:{row.pk}", topic="exam.moved").count()
    return calendar_file.Entry(
        uid=f"exam-{row.pk}@{house.code.lower()}.hospital",
        sequence=moves + gone,
        starts=row.stay.lower,
        ends=row.stay.upper,
        summary=_("检查：%(exam)s") % {"exam": row.variant.name},
        location=" ".join(filter(None, [house.name, card.place, row.device.zone.campus.address])),
        description="\n".join(filter(None, lines)),
        cancelled=gone,
    )


def _prepared(step) -> str:
    at = date_format(step.at.astimezone(clock.ZONE), _("n月j日 H:i"))
    said = {"at": at, "exam": step.exam, "before": step.after}
    if step.kind == "bladder" and step.after:
        return _("做完%(before)s再喝水，有明显尿意时做%(exam)s。") % said
    return {
        "prepare": _("%(at)s前开始按说明做准备（%(exam)s）"),
        "fast": _("%(at)s后禁食，做完%(exam)s再吃"),
        "bladder": _("%(at)s做%(exam)s时要憋着尿"),
        "escort": _("请一位家属陪同（%(exam)s）"),
    }[step.kind] % said


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(clock.ZONE):%H:%M}"
