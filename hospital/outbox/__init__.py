"""The transactional outbox: facts out, handlers in, order kept per key, nothing lost and nothing twice.

`publish` writes a fact in the caller's transaction. `fan_out` makes one delivery per handler. `deliver` hands the
oldest undone fact of each key to its handler. `wake` tells the worker that there is something to do, best effort.
"""

from .delivery import deliver, fan_out
from .facts import publish, publish_many
from .registry import Handler, handlers_of, handles
from .wake import Waker, wake

__all__ = ["Handler", "Waker", "deliver", "fan_out", "handlers_of", "handles", "publish", "publish_many", "wake"]
