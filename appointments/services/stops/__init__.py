"""停诊与替诊 (B13, O9): a session, a doctor's days or a department's half-day, stopped or given to another doctor.

- `requests`: a doctor asks, the office decides.
- `orders`: the office's decision, carried out session by session (the next run does a killed worker's rest), undone.
- `sessions`: one session in one transaction: stop, substitute, reopen.
- `cases`: the question to each booked patient, and its answers. `offers`: numbers kept for them before the public.
- `following`: what time alone brings: the rest of an order, new sessions in scope, visits nobody answered for.
"""

from .answers import accept, cancel, move
from .following import follow_up
from .orders import retry, stop, stop_each, undo
from .requests import approve, ask, ask_each, reject, withdraw

__all__ = [
    "accept",
    "approve",
    "ask",
    "ask_each",
    "cancel",
    "follow_up",
    "move",
    "reject",
    "retry",
    "stop",
    "stop_each",
    "undo",
    "withdraw",
]
