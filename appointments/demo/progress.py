"""How far a long seeding is: its parts, each with its weight."""

from collections.abc import Callable

Show = Callable[[float, str], None]  # share done (0 to 1), what is being done

SECONDS = {"workbook": 2.5, "numbers": 0.45, "people": 0.00022, "bulk": 0.00045, "service": 0.0035, "end": 0.05}
"""What a unit of each part takes: a workbook, a laid-out day, a patient, a wish in bulk, a wish through the services,
a day of tidying. Orders of magnitude from one machine: the estimate goes by this run's own pace."""


class Progress:
    """Parts in their order with their expected weights; told how much of the present part is done."""

    def __init__(self, units: dict[str, float], show: Show):
        self.weights = {part: units[part] * SECONDS[part] for part in SECONDS if part in units}
        self.total = sum(self.weights.values())
        self.show = show

    def at(self, part: str, share: float, what: str) -> None:
        before = 0.0
        for name, weight in self.weights.items():
            if name == part:
                break
            before += weight
        self.show(min(1.0, (before + self.weights[part] * share) / self.total), what)
