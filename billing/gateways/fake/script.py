"""How the gateway behaves: told by /control while it runs, back to good manners by `reset`."""

from dataclasses import dataclass, field, fields


@dataclass
class Script:
    skew: float = 0.0  # seconds its clock is ahead of the machine's
    clock: float = 0.0  # or it stands still at this moment
    callbacks: str = "once"  # once, twice, never, held (until they are released), first (before `create` answers)
    late: float = 0.0  # seconds until a callback is sent
    retries: list[float] = field(default_factory=lambda: [15, 15, 30, 180, 600, 1200, 1800, 1800, 3600, 10800])
    down: str = ""  # cut (the line, before anything is done), after (it is done, the answer is lost), error (503)
    refuses: dict[str, str] = field(default_factory=dict)  # create, close, refund … → the code it says
    slow: dict[str, float] = field(default_factory=dict)  # create, refund … → seconds between doing and answering
    refunds: str = "done"  # done (with the answer), later (a callback says so, when `finish` is asked for)

    def change(self, said: dict) -> None:
        """Raises ValueError for a word it does not know."""
        known = {each.name for each in fields(self)}
        if unknown := set(said) - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        for name, value in said.items():
            setattr(self, name, value)
