"""设备与产能 (E1, E10): weekly hours become sessions; a device goes down and is brought up again.

- `timetable`, `layout`: from hours, holidays and reserves to sessions and windows.
- `keeping`: the office keeps devices, hours and reserves.
- `days`: a single day by hand.
- `downtime`: down and up again, in one transaction each.
- `cases`: the question to each displaced patient and the time kept for them; `answers`: what they say; `telling`: what
  they hear; `following`: what time alone brings.
"""

from . import days, keeping
from .answers import accept, cancel, move
from .downtime import Lifted, bring_up, take_down
from .following import follow_up
from .layout import Fitted, ahead, fit, lay_out, lay_out_all

__all__ = [
    "Fitted",
    "Lifted",
    "accept",
    "ahead",
    "bring_up",
    "cancel",
    "days",
    "fit",
    "keeping",
    "follow_up",
    "lay_out",
    "lay_out_all",
    "move",
    "take_down",
]
