"""批量操作: the same act on many schedules: seen before, done in one transaction, taken back within ten minutes.

act = bulk.preview(kind=..., organization=..., schedules=[...], params={...}, reason="...", by=user, now=now)
bulk.apply(act=act, by=user, now=now)     # PreviewStale: it is not what was shown; bulk.look_again(act=...)
bulk.undo(act=act, by=user, now=now)      # returns what could not be taken back
"""

from .acts import apply, look_again, preview
from .registry import register
from .undoing import undo

__all__ = ["apply", "look_again", "preview", "register", "undo"]
