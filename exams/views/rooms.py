"""检查室 (E5): a device's queue with its keys, and the screen for those who wait."""

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.views.boards import NEXT_ON_SCREEN, in_turns
from exams.forms.visit import NotDoneForm, SeenForm
from exams.models import ExamBooking, ExamZone
from exams.selectors import asking, rooms
from exams.services import visit
from hospital import audit, clock, masking, permissions
from hospital.permissions import role_required
from hospital.views.code_pages import onward

from .centre_page import render_page
from .centre_reach import ROOMS, booking_within_reach, device_within_reach, houses

JUST_DONE = 6
"""Finished exams that a room's page still shows, for the report and its slip."""

ACTS = {
    "call": visit.call,
    "start": visit.start,
    "finish": visit.finish,
    "pass": visit.pass_over,
    "undo": visit.undo_check_in,
}


@require_safe
@never_cache
@role_required(*ROOMS)
def front(request: HttpRequest):
    """选检查室: every device in use with who waits before it now. Two queries however many."""
    now = clock.now()
    devices = list(rooms.devices_of(houses(request, *ROOMS)))
    queues = rooms.queues_of(devices, day=clock.today(now))
    context = {
        "zones": _by_zone([queues[device.pk] for device in devices]),
        "here": request.get_full_path(),
        "now": now,
    }
    return render(
        request, "exams/centre/_rooms.html" if _only(request, "rooms") else "exams/centre/rooms.html", context
    )


def _by_zone(queues: list[rooms.Queue]) -> list[tuple[ExamZone, list[rooms.Queue]]]:
    zones: dict[int, tuple[ExamZone, list]] = {}
    for queue in queues:
        zones.setdefault(queue.device.zone_id, (queue.device.zone, []))[1].append(queue)
    return list(zones.values())


def _only(request: HttpRequest, target: str) -> bool:
    """htmx asks for this part alone."""
    return bool(request.htmx) and request.htmx.target == target


@require_safe
@never_cache
@role_required(*ROOMS)
def room(request: HttpRequest, pk: int):
    """One device: who is inside, who was called, who waits, who comes. htmx asks for the queue every few seconds."""
    now, device = clock.now(), device_within_reach(request, pk)
    queue = rooms.queues_of([device], day=clock.today(now))[device.pk]
    for row in [*queue.running, *queue.called]:  # by full name: whoever comes in is compared with it
        audit.saw_patient(patient=row.patient, actor=request.user, where="exam_room", now=now, request=request)
    away = rooms.inside_elsewhere(queue)
    context = {
        "device": device,
        "queue": queue,
        "here": request.path,
        "now": now,
        "inside": [_current(row) for row in queue.running],
        "called": [_current(row) for row in queue.called],
        "waiting": [_person(row, now=now) | {"away": away.get(row.patient_id)} for row in queue.waiting],
        "coming": [_person(row, now=now) for row in queue.coming],
        "displaced": [_person(row, now=now) for row in queue.displaced],
        "missed": [_person(row, now=now) for row in queue.missed],
        "done": [_person(row, now=now) for row in reversed(queue.done[-JUST_DONE:])],
        "start_tone": "" if queue.running else "btn--primary",
        "in_centre": permissions.may_work_the_exam_centre(request.user),
        "seen": queue.called[0].pk if queue.called else 0,
    }
    return render(request, "exams/centre/_room.html" if _only(request, "room") else "exams/centre/room.html", context)


def _person(row: ExamBooking, *, now) -> dict:
    """One who waits or comes, as a list shows them: masked."""
    since = max(row.start, row.checked_in_at) if row.checked_in_at else None
    return {
        "row": row,
        "name": masking.name(row.patient.name),
        "minutes": max(0, int(((row.called_at or now) - since).total_seconds() // 60)) if since else None,
        "late": row.status == ExamBooking.Status.BOOKED and row.start < now,
        "early": row.status == ExamBooking.Status.ARRIVED and row.start > now,
    }


def _current(row: ExamBooking) -> dict:
    """Who is called or inside, with what the answers warn of."""
    heard = asking.at_check_in(row, row.answers)
    return {"row": row, "patient": row.patient, "sentences": heard.sentences}


@require_POST
@role_required(*ROOMS)
def call_next(request: HttpRequest, pk: int):
    """叫下一位."""
    device, form = device_within_reach(request, pk), SeenForm(request.POST)
    seen = form.cleaned_data.get("seen") if form.is_valid() else None
    visit.call_next(device=device, by=request.user, now=clock.now(), seen=seen)
    return _back(request, device.pk)


@require_POST
@role_required(*ROOMS)
def act(request: HttpRequest, pk: int, act: str):
    """再叫, 开始, 结束, 过号, 撤销报到 for one patient of a device."""
    row = booking_within_reach(request, pk, *ROOMS)
    ACTS[act](booking=row, by=request.user, now=clock.now())
    return _back(request, row.device_id)


@require_POST
@role_required(*ROOMS)
def finish_and_call(request: HttpRequest, pk: int):
    """结束并叫下一位: one key between two patients."""
    row = booking_within_reach(request, pk, *ROOMS)
    visit.finish(booking=row, by=request.user, now=clock.now())
    visit.call_next(device=row.device, by=request.user, now=clock.now(), seen=0)
    return _back(request, row.device_id)


def _back(request: HttpRequest, device: int):
    """To the page that the button was on; never to a foreign address."""
    return redirect(onward(request)) if onward(request) else redirect("exams:exam_room", device)


@require_http_methods(["GET", "POST"])
@never_cache
@role_required(*ROOMS)
def not_done(request: HttpRequest, pk: int):
    """未做: why, and the request goes back to the booking centre's list."""
    row = booking_within_reach(request, pk, *ROOMS)
    form = NotDoneForm(request.POST if request.method == "POST" else None, label_suffix="")
    if form.is_valid():
        visit.not_done(booking=row, reason=form.reason, by=request.user, now=clock.now())
        messages.success(request, _("已登记未做，申请已退回检查预约中心。"))
        return redirect("exams:exam_room", row.device_id)
    audit.saw_patient(patient=row.patient, actor=request.user, where="exam_room", now=clock.now(), request=request)
    context = {"row": row, "form": form}
    return render_page(request, "exams/centre/not_done.html", context, status=422 if form.errors else 200)


@require_safe
@never_cache
def screen(request: HttpRequest, pk: int):
    """候检屏 of a zone: hangs in the hall, so nobody signs in and no full name is shown."""
    zone = get_object_or_404(ExamZone.objects.select_related("campus"), pk=pk)
    now = clock.now()
    devices = list(rooms.devices_of([zone.campus.organization_id]).filter(zone=zone))
    queues = rooms.queues_of(devices, day=clock.today(now))
    boards = [_board(queues[device.pk], now=now) for device in devices]
    text = request.GET.get("turn", "")
    turn = int(text) if text.isdecimal() and len(text) < 9 else 0
    context = {
        "boards": in_turns([board for board in boards if board["used"]], turn=turn),
        "zone": zone,
        "now": now,
        "next_turn": turn + 1,
    }
    return render(request, "exams/centre/_screen.html" if request.htmx else "exams/centre/screen.html", context)


def _board(queue: rooms.Queue, *, now) -> dict:
    waiting = [_person(row, now=now) for row in queue.waiting]
    return {
        "device": queue.device,
        "used": queue.somebody or bool(queue.coming),
        "called": [_person(row, now=now) for row in queue.called],
        "inside": [_person(row, now=now) for row in queue.running],
        "waiting": waiting[:NEXT_ON_SCREEN],
        "more": max(0, len(waiting) - NEXT_ON_SCREEN),
    }
