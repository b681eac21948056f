"""排班草稿 (P2): what the templates would make of some days, looked at before it counts, then published day by day.

draft = drafts.make(organization=..., department=..., first_day=..., last_day=..., by=user, now=now)
drafts.tick(draft=draft, shown={...}, take={...})
drafts.publish(draft=draft, by=user, now=now, seconds=3)   # DraftStale: drafts.look_again(draft=draft, now=now)
drafts.continue_all(now=now)                               # what the worker calls, again after it died
"""

from .deciding import discard, tick
from .making import look_again, make
from .publishing import continue_all, go_on, publish

__all__ = ["continue_all", "discard", "go_on", "look_again", "make", "publish", "tick"]
