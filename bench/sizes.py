"""How much is measured. The defaults are the real sizes; BENCH_SIZE=tiny is for the test that the bench still runs."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    doctors: int = 200
    days: int = 90  # of numbers, from tomorrow on
    numbers: int = 24  # a half-day, ten minutes each
    patients: int = 200_000
    history: int = 10  # the large database holds this many times the numbers, the rest of them past
    visits: int = 600_000  # in the large database's past: a year of two thousand a working day
    rounds: int = 3
    looks: int = 5  # at a page in a round; 0: timed while its queries are counted
    seconds: float = 3.0  # of one measurement under load
    crowd: int = 5_000  # requests for `prize` numbers
    prize: int = 200
    connections: int = 256
    storms: int = 15  # rounds of one patient's 50 simultaneous requests
    laid_days: int = 3  # generate: schedules of so many days at once
    generated_days: int = 30  # generate ÷ COPY, in each round: ninety in all
    recalled: int = 100_000  # and released
    referrals: int = 100_000  # of a year, one in twenty still open
    pushed: int = 1_000  # events to another system
    payments: int = 900  # callbacks, a third of them one by one
    bill_rows: int = 100_000  # of a gateway's day
    month: bool = True  # the small demo is seeded for its exams
    questions: int = 50  # to the exam planner, for each number of exams and each load

    @property
    def schedules(self) -> int:
        return self.doctors * self.days * 2


TINY = Sizes(
    doctors=4, days=10, patients=12_000, history=2, visits=600, rounds=1, looks=0, seconds=0.2, crowd=120, prize=20,
    connections=16, storms=1, laid_days=2, generated_days=2, recalled=200, questions=2, month=False,
    referrals=2_000, pushed=20, payments=9, bill_rows=1_000,
)  # fmt: skip


def chosen() -> Sizes:
    return TINY if os.environ.get("BENCH_SIZE") == "tiny" else Sizes()
