"""How large a demo hospital is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    name: str
    patients: int
    days_back: int  # simulated days before today
    days_ahead: int  # half-days laid out after today
    wishes: int  # people a working day who want to be seen; some find nothing, some come back


SCALES = {
    "small": Scale(name="small", patients=2_000, days_back=30, days_ahead=100, wishes=120),
    "large": Scale(name="large", patients=100_000, days_back=30, days_ahead=100, wishes=6_000),
}
SEED = 20261121
