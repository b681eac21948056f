"""设备与产能 (E1, E10): weekly hours become sessions; a device goes down and is brought up again.

- `timetable`, `layout`: from hours, holidays and reserves to sessions and windows.
- `hours`: the office changes hours, reserves, a single day.
"""

from .layout import ahead, fit, lay_out, lay_out_all

__all__ = ["ahead", "fit", "lay_out", "lay_out_all"]
