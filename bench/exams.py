"""How long the planner takes to find and prove the best plan, by number of exams: fourteen days of twenty devices."""

import time
from random import Random

from bench import table
from bench.sizes import Sizes
from exams.planner import DAY, Gap, Option, Problem, Rule, Task, best, first_come

SIZES = (2, 4, 6, 8)
DEVICES, PLACES, DAYS = 20, 8, 14
LOADS = (0.5, 0.7, 0.85, 0.93)
"""Shares of the devices' time that are taken: a quiet house to a full one."""

GAPS = (None, Gap(), Gap(30), Gap(240), Gap(other_day=True), Gap(1440), Gap(2880), Gap(4320, True), Gap(10080))
TARGETS = {2: 300, 4: 300, 6: 300, 8: 2000}  # ms at the 95th percentile; a page gives it two seconds


def measure(sizes: Sizes) -> list[table.Row]:
    """Seeded, so that every run asks the same."""
    rows = []
    for exams in SIZES:
        seeds = range(sizes.questions)
        took = []
        for load in LOADS:
            for seed in seeds:
                problem = question(Random(f"{exams} {load} {seed}"), exams, load)
                began = time.process_time()
                best(problem)
                took.append((time.process_time() - began) * 1000)
        took.sort()
        rows.append(
            table.measured(
                f"planner p95: {exams} exams × {DAYS} days × {DEVICES} devices",
                [took[int(len(took) * 0.95)]],
                target=TARGETS[exams],
                unit="ms",
                note=f"{len(took)} drawn, p50 {took[len(took) // 2]:.0f} ms, longest {took[-1]:.0f} ms; all proven",
            )
        )
    return [*rows, _saved(sizes)]


def _saved(sizes: Sizes) -> table.Row:
    """Trips of the best plans ÷ trips of booking each exam at its earliest time, on the same questions."""
    planned, by_hand = 0, 0
    for load in LOADS[1:3]:
        for seed in range(sizes.questions):
            problem = question(Random(f"4 {load} {seed}"), 4, load)
            plan, one_by_one = best(problem), first_come(problem, [task.key for task in problem.tasks])
            if plan and one_by_one:
                planned += plan.trips
                by_hand += one_by_one.trips
    return table.compare(
        "trips: best plan ÷ first-come, 4 exams", [planned], [by_hand], target=0.9, better="lower",
        note="where both find a way; the demo month's own figure is on 检查指标",
    )  # fmt: skip


def question(random: Random, exams: int, load: float) -> Problem:
    devices = [(f"D{number}", f"P{number % PLACES}", _free(random, load)) for number in range(DEVICES)]
    tasks = tuple(_task(random, f"T{number}", devices) for number in range(exams))
    pairs = [random.sample(range(exams), 2) for _ in range(random.randint(0, min(exams, 5)))]
    rules = tuple(Rule(f"T{a}", f"T{b}", random.choice(GAPS[1:]), random.choice(GAPS)) for a, b in pairs)
    walks = {(f"P{a}", f"P{b}"): 5 + 5 * (abs(a - b) // 2) for a in range(PLACES) for b in range(a)}
    return Problem(tasks, rules, walks, DAYS)


def _free(random: Random, load: float) -> list[tuple[int, int]]:
    """Ten minutes by ten, eight to five with a break; of the weekend little."""
    spans: list[tuple[int, int]] = []
    for day in range(DAYS):
        if day % 7 in (5, 6) and random.random() < 0.8:
            continue
        for start in [*range(480, 720, 10), *range(810, 1020, 10)]:
            if random.random() > load:
                begin = day * DAY + start
                if spans and spans[-1][1] == begin:
                    spans[-1] = (spans[-1][0], begin + 10)
                else:
                    spans.append((begin, begin + 10))
    return spans


def _task(random: Random, key: str, devices) -> Task:
    """On two to four devices; four in ten fast, and are done by eleven."""
    minutes, fasting = random.choice([10, 10, 10, 20, 20, 30]), random.random() < 0.4
    options = []
    for name, place, spans in random.sample(devices, random.randint(2, 4)):
        kept = [(a, min(b, a // DAY * DAY + 660) if fasting else b) for a, b in spans]
        options.append(Option(name, place, tuple((a, b) for a, b in kept if b - a >= minutes)))
    return Task(key, minutes, tuple(options), after=random.choice([0, 0, 0, 30]))
