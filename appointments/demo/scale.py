"""How large a demo hospital is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    name: str
    patients: int
    days_back: int  # simulated days before today
    days_ahead: int  # half-days laid out after today
    wishes: int  # people a working day who want to be seen; some find nothing, some come back
    by_service: int = 2  # of the last days, today among them, those that live through the services; the rest in bulk
    workbook: str = "hospital.xlsx"


SCALES = {
    "small": Scale(name="small", patients=2_000, days_back=30, days_ahead=100, wishes=200),
    "large": Scale(
        name="large", patients=200_000, days_back=365, days_ahead=100, wishes=2_000, by_service=7, workbook="large.xlsx"
    ),
}
SEED = 20261121
