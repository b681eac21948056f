"""Numbers kept for the patients of a stopped session before the public can take them.

A kept number sits in its schedule's 改约 pool, whose allotment opens now and is shared from the deadline on: so the
return to the public is exact and needs no job, and moving a patient is the ordinary reschedule.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Min

from appointments.models import Allotment, Pool, Schedule, Slot, StopCase, StopOffer, Substitution
from appointments.policies import stops as policy
from appointments.selectors.stops import elsewhere

UNUSED = (Slot.Status.FREE, Slot.Status.RESTING, Slot.Status.BLOCKED)
SPARE = 2  # numbers more than patients at least, so that the last one still has a choice; half as many if that is more


def top_up(row: Substitution, *, now: datetime) -> int:
    """Keep enough for those who have not answered; how many were added. Safe to repeat; nothing after the deadline.

    Its own transaction, apart from the stop's: schedules by id, then numbers by id, and who is being booked is left.
    """
    waiting = row.cases.filter(answer=StopCase.Answer.NONE)
    seen = waiting.aggregate(count=Count("pk"), since=Min("opened_at"), deadline=Max("deadline"))  # in one look
    if not seen["count"] or row.schedule.gate_team_id or not row.stands:
        return 0
    until = policy.kept_until(seen["deadline"], now=seen["since"])
    wanted = seen["count"] + max(SPARE, seen["count"] // 2)
    if until <= now:
        return 0
    sessions = [each for each in elsewhere.sessions_near(row, now=now) if each.starts_at > until]
    with transaction.atomic():
        return _keep(row, sessions, wanted=wanted, until=until, now=now)


def _keep(row: Substitution, sessions: list[Schedule], *, wanted: int, until: datetime, now: datetime) -> int:
    ids = sorted({row.schedule_id, *(each.pk for each in sessions)})
    list(Schedule.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    there = row.offers.filter(slot__status=Slot.Status.FREE, slot__pool__kind=Pool.Kind.REBOOK, slot__start__gt=now)
    missing = wanted - there.filter(slot__schedule__status=Schedule.Status.OPEN).count()
    if missing <= 0:
        return 0
    free = Slot.objects.filter(
        schedule__in=[each.pk for each in sessions if not each.gate_team_id],
        schedule__status=Schedule.Status.OPEN,
        status=Slot.Status.FREE,
        pool__kind=Pool.Kind.PUBLIC,
        start__gt=now,
    )
    place = {each.pk: rank for rank, each in enumerate(sessions)}
    in_turn = sorted(free.values_list("schedule", "number", "pk"), key=lambda each: (place[each[0]], each[1]))
    nearest = [pk for _schedule, _number, pk in in_turn[:missing]]
    chosen = list(
        free.filter(pk__in=nearest).select_for_update(no_key=True, skip_locked=True, of=["self"]).order_by("pk")
    )
    if chosen:
        _move(row, chosen, until=until, now=now)
    return len(chosen)


def _move(row: Substitution, chosen: list[Slot], *, until: datetime, now: datetime) -> None:
    schedules = {each.pk: each for each in Schedule.objects.filter(pk__in={slot.schedule_id for slot in chosen})}
    kept = _pool(row.schedule.organization_id)
    StopOffer.objects.bulk_create(
        [StopOffer(substitution=row, slot=slot, pool_id=slot.pool_id) for slot in chosen], ignore_conflicts=True
    )
    Slot.objects.filter(pk__in=[slot.pk for slot in chosen]).update(pool=kept)
    released = elsewhere.unreleased_until(list(schedules))
    for pk, schedule in sorted(schedules.items()):
        shared = max(until, released.get(pk, until))
        _open(schedule, kept, shared=shared, now=now)


def _open(schedule: Schedule, pool: Pool, *, shared: datetime, now: datetime) -> None:
    """From now to the patients who were touched, from `shared` on to everybody. Two stops may keep numbers of one
    session: the later moment holds. Never before the session's own public release."""
    row, made = Allotment.objects.get_or_create(
        schedule=schedule,
        pool=pool,
        defaults={
            "department_id": schedule.department_id,
            "day": schedule.day,
            "opens_at": now,
            "opened_at": now,
            "shared_from": shared,
        },
    )
    if not made:
        row.shared_from, row.moved_at = max(shared, row.shared_from or shared), None
        row.save(update_fields=["shared_from", "moved_at"])


def _pool(organization_id: int) -> Pool:
    pool, _made = Pool.objects.get_or_create(
        organization_id=organization_id,
        kind=Pool.Kind.REBOOK,
        partner=None,
        group=None,
        defaults={"name": str(Pool.Kind.REBOOK.label)},
    )
    return pool


@transaction.atomic
def give_back(row: Substitution) -> int:
    """Numbers nobody took go back to the pool they came from, those of a session that was stopped, too. Waits for
    nobody: one that is being booked stays, and the next run asks again (`left_behind`)."""
    kept = Slot.objects.filter(pk__in=row.offers.values("slot"), pool__kind=Pool.Kind.REBOOK, status__in=UNUSED)
    locked = list(kept.select_for_update(no_key=True, skip_locked=True, of=["self"]).order_by("pk"))
    origin = dict(row.offers.values_list("slot", "pool"))
    others = set(
        StopOffer.objects.filter(slot__in=locked, substitution__stands=True)
        .exclude(substitution=row)
        .values_list("slot", flat=True)
    )
    back = [slot for slot in locked if slot.pk not in others]
    for slot in back:
        slot.pool_id = origin[slot.pk]
    Slot.objects.bulk_update(back, ["pool"])
    row.offers.filter(slot__in=[slot.pk for slot in back]).delete()
    return len(back)


def left_behind(*, now: datetime) -> list[Substitution]:
    """What stands no more and still keeps numbers that are to come."""
    kept = StopOffer.objects.filter(
        substitution__stands=False,
        slot__pool__kind=Pool.Kind.REBOOK,
        slot__status__in=UNUSED,
        slot__start__gt=now,
    )
    return list(Substitution.objects.filter(pk__in=kept.values("substitution")).order_by("pk"))
