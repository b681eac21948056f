"""Small questions drawn at random, small enough to be answered by trying everything."""

from random import Random

from exams.planner import DAY, STEP, Gap, Option, Problem, Rule, Task

PLACES = ("一楼", "二楼", "东院")


def question(random: Random) -> Problem:
    days = random.randint(1, 3)
    places = PLACES[: random.randint(1, 3)]
    tasks = tuple(task(random, f"T{number}", days, places) for number in range(random.randint(1, 4)))
    walks = {(a, b): 5 * random.randint(0, 6) for a in places for b in places if a < b}
    return Problem(tasks, rules(random, len(tasks)), walks, days)


def task(random: Random, key: str, days: int, places: tuple[str, ...]) -> Task:
    before, after = random.choice([0, 0, 0, 5, 10]), random.choice([0, 0, 0, 15, 30])
    minutes = random.choice([5, 10, 15, 20, 30, 45])
    if random.random() < 0.15:  # stands already, on whole steps or not
        start = moment(random, days) + random.choice([0, 0, 3])
        return Task(
            key, minutes, (Option("门诊", random.choice(places), ((start, start + minutes),)),), before, after, True
        )
    devices = tuple(device(random, f"{key}-{n}", minutes, days, places) for n in range(random.randint(1, 2)))
    return Task(key, minutes, devices, before, after)


def device(random: Random, name: str, minutes: int, days: int, places: tuple[str, ...]) -> Option:
    own = random.choice([None, None, None, minutes + 5])
    free = []
    for day in range(days):
        for _ in range(random.randint(0, 2)):
            start = day * DAY + moment(random, 1)
            free.append((start, start + (own or minutes) + random.choice([-5, 0, 0, 3, 5, 10, 15])))
    return Option(name, random.choice(places), tuple(free), own)


def moment(random: Random, days: int) -> int:
    """Mostly within two hours of a morning, sometimes at the very edges of the day."""
    of_day = random.choice([*[8 * 60] * 8, 0, DAY - 60])
    return random.randrange(days) * DAY + of_day + STEP * random.randint(0, 26 if of_day == 8 * 60 else 6)


def rules(random: Random, size: int) -> tuple[Rule, ...]:
    if size < 2:
        return ()
    pairs = [random.sample(range(size), 2) for _ in range(random.randint(0, 3))]
    return tuple(Rule(f"T{a}", f"T{b}", gap(random), gap(random)) for a, b in pairs)


def gap(random: Random) -> Gap | None:
    kind = random.random()
    if kind < 0.25:
        return None
    if kind < 0.4:
        return Gap(random.choice([0, 1500]), other_day=True)
    return Gap(STEP * random.randint(0, 20) if kind < 0.7 else random.choice([0, 7, 1380, 1440, 1500, 2880]))
