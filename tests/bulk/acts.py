"""A session in a week with ten numbers of the consult room and four of the public; what the office does to it."""

from datetime import timedelta

from appointments.models import Slot
from appointments.services import bulk
from tests.factories import NOW, TODAY, PoolFactory, StaffFactory, add_numbers, open_schedule

SOON = TODAY + timedelta(days=5)


def act_on(*schedules, kind, by, reason="专家外出，调给公共", now=NOW, **params):
    """The preview."""
    return bulk.preview(
        kind=kind,
        organization=schedules[0].organization,
        schedules=schedules,
        params=params,
        reason=reason,
        by=by,
        now=now,
    )


class Session:
    def __init__(self):
        self.by = StaffFactory(roles="office")
        self.schedule = open_schedule(
            numbers=10, pool="consult", day=SOON, shared=NOW + timedelta(days=3), opened=NOW - timedelta(days=9)
        )
        self.public = add_numbers(self.schedule, count=4, pool="public")
        self.schedule.capacity = 14
        self.schedule.save()
        self.consult, self.partner = PoolFactory(kind="consult"), PoolFactory(kind="partner")
        self.extra, self.counter = PoolFactory(kind="extra", name="加号"), PoolFactory(kind="counter")

    def reallocate(self, count=3, *, source=None, target=None, schedules=(), **more):
        pools = {"source": (source or self.consult).pk, "target": (target or self.public).pk}
        return act_on(*schedules or (self.schedule,), kind="reallocate", by=self.by, count=count, **pools, **more)

    def add(self, count=2, *, pool=None, **more):
        return act_on(self.schedule, kind="add", by=self.by, count=count, pool=(pool or self.extra).pk, **more)

    def recall(self, *pools, schedules=(), **more):
        wanted = [pool.pk for pool in pools or (self.consult,)]
        return act_on(*schedules or (self.schedule,), kind="recall", by=self.by, pools=wanted, **more)

    def apply(self, act, **more):
        return bulk.apply(act=act, by=self.by, **{"now": NOW, **more})

    def undo(self, act, **more):
        return bulk.undo(act=act, by=self.by, **{"now": NOW, **more})

    def numbers(self, pool, *, status="free", schedule=None):
        rows = Slot.objects.filter(schedule=schedule or self.schedule, pool=pool, status=status)
        return list(rows.order_by("number").values_list("number", flat=True))
