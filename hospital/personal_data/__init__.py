"""个人信息权利 (O4): a copy of what we hold, correction, erasure, and how long things stay.

Each app adds what it holds of a person (`holds`) and what still lies ahead (`lies_ahead`): this floor can't see them.
"""

from .acts import means
from .copies import Entry, Field, Section, ahead_of, copy_of, holds, lies_ahead
from .corrections import correct
from .erasure import close_account
from .requests import ask, carry_out_export, decide, drop
from .retention import forget_what_is_over

__all__ = [
    "Entry",
    "Field",
    "Section",
    "ahead_of",
    "ask",
    "carry_out_export",
    "close_account",
    "copy_of",
    "correct",
    "decide",
    "drop",
    "forget_what_is_over",
    "holds",
    "lies_ahead",
    "means",
]
