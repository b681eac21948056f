"""候诊: the triage desk's boards before the rooms, and the waiting screen for everybody (B20)."""

from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from appointments.models import ScheduleParticipant
from appointments.policies import visit as policy
from appointments.selectors import desk as selectors
from appointments.services import visit
from hospital import clock, masking
from hospital.models import Campus, Department
from hospital.permissions import assignments, role_required
from hospital.views.code_pages import onward

from .desk_reach import ROLES, encounter_within_reach, houses, schedule_within_reach

NEXT_ON_SCREEN = 4
"""How many of those who wait a screen names for each room."""

ROOMS_ON_SCREEN = 9
"""What is still read from ten metres; more rooms take turns, those that are calling stay."""

REFRESHES_A_TURN = 2
"""A page of rooms stands for two refreshes of five seconds."""

ACTS = {"pass": visit.pass_over, "finish": visit.finish, "left": visit.left}


@require_safe
@never_cache
@role_required(*ROLES)
def board(request: HttpRequest):
    """候诊队列 by room. htmx asks for the boards alone every few seconds."""
    now = clock.now()
    department = _chosen(request)
    where = Q(schedule__organization__in=houses(request))
    if department:
        where &= Q(schedule__department=department)
    context = {
        "boards": [_drawn(one, now=now) for one in selectors.boards(day=clock.today(now), now=now, where=where)],
        "departments": Department.objects.filter(organization__in=houses(request), active=True),
        "department": department,
        "here": request.get_full_path(),
        "now": now,
    }
    return render(request, "desk/_boards.html" if _only_boards(request) else "desk/board.html", context)


def _only_boards(request: HttpRequest) -> bool:
    return bool(request.htmx) and request.htmx.target == "boards"


def _chosen(request: HttpRequest) -> int | None:
    """The department in the address; else the one that the nurse's role is bound to."""
    text = request.GET.get("department")
    if text is not None:
        return int(text) if text.isdecimal() else None
    bound = [row.department_id for row in assignments(request.user) if row.role in ROLES]
    return bound[0] if len(bound) == 1 else None


def _drawn(board: selectors.Board, *, now) -> dict:
    """A board as it is shown: masked names, minutes waited."""
    queue = board.queue
    return {
        "board": board,
        "inside": [_person(row, now=now) for row in queue.in_rooms],
        "called": [_person(row, now=now) for row in queue.called],
        "waiting": [_person(row, now=now) for row in queue.waiting],
        "not_yet": len(queue.not_yet),
        "done": len(queue.done),
    }


def _person(row, *, now) -> dict:
    encounter = row.encounter
    until = encounter.called_at or now
    waited = policy.waited(start=row.start, checked_in_at=encounter.checked_in_at, called_at=until)
    return {
        "number": row.slot.number,
        "name": masking.name(row.patient.name),
        "encounter": encounter,
        "patient": row.patient_id,
        "start": row.start,
        "minutes": int(waited.total_seconds() // 60),
    }


@require_POST
@role_required(*ROLES)
def summon(request: HttpRequest, pk: int):
    """叫下一位到这间诊室."""
    schedule = schedule_within_reach(request, pk)
    seats = ScheduleParticipant.objects.select_related("practitioner", "room")
    seat = get_object_or_404(seats, pk=request.POST.get("seat", 0), schedule=schedule, active=True, room__isnull=False)
    visit.summon(schedule=schedule, by=request.user, practitioner=seat.practitioner, room=seat.room, now=clock.now())
    return _back(request)


@require_POST
@role_required(*ROLES)
def act(request: HttpRequest, pk: int, act: str):
    """叫号, 过号, 进诊室, 结束, 离开 for one patient of a board."""
    encounter = encounter_within_reach(request, pk)
    seat = {"practitioner": encounter.practitioner, "room": encounter.room}
    if act == "call":
        visit.call(encounter=encounter, by=request.user, now=clock.now(), **seat)
    elif act == "start":
        visit.start(encounter=encounter, by=request.user, now=clock.now(), **seat)
    else:
        ACTS[act](encounter=encounter, by=request.user, now=clock.now())
    return _back(request)


def _back(request: HttpRequest):
    """To the board that the button was on; never to a foreign address."""
    return redirect(onward(request) or "appointments:desk_board")


@require_safe
@never_cache
def department_screen(request: HttpRequest, pk: int):
    department = get_object_or_404(Department, pk=pk, active=True)
    return _screen(request, title=department.name, where=Q(schedule__department=department))


@require_safe
@never_cache
def campus_screen(request: HttpRequest, pk: int):
    campus = get_object_or_404(Campus, pk=pk, active=True)
    return _screen(request, title=campus.name, where=Q(schedule__campus=campus))


def _screen(request: HttpRequest, *, title: str, where: Q):
    """候诊屏: hangs in the hall, so nobody signs in and no full name is shown."""
    now = clock.now()
    boards = [_drawn(one, now=now) for one in selectors.boards(day=clock.today(now), now=now, where=where)]
    for one in boards:
        one["more"] = max(0, len(one["waiting"]) - NEXT_ON_SCREEN)
        one["waiting"] = one["waiting"][:NEXT_ON_SCREEN]
    boards = [one for one in boards if one["board"].schedule.starts_at <= now or one["inside"] or one["waiting"]]
    text = request.GET.get("turn", "")
    turn = int(text) if text.isdecimal() and len(text) < 9 else 0
    context = {"boards": in_turns(boards, turn=turn), "title": title, "now": now, "next_turn": turn + 1}
    return render(request, "desk/_screen.html" if request.htmx else "desk/screen.html", context)


def in_turns(boards: list[dict], *, turn: int) -> list[dict]:
    """As many rooms as the screen holds: all that are calling, the others page by page."""
    if len(boards) <= ROOMS_ON_SCREEN:
        return boards
    calling = [one for one in boards if one["called"]][: ROOMS_ON_SCREEN - 1]
    others = [one for one in boards if one not in calling]
    space = ROOMS_ON_SCREEN - len(calling)
    pages = -(-len(others) // space)
    first = (turn // REFRESHES_A_TURN) % pages * space
    return calling + others[first : first + space]
