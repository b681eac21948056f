"""Server time and queries of the pages and lists, in a hospital of 864,000 numbers with a year behind it and in a
small one. In the process, through all middleware and templates; only the network is left out.
"""

import time
from dataclasses import dataclass, replace
from statistics import median

from bench import apart, table
from bench.scratch import Scratch
from bench.sizes import Sizes, chosen

WEEK, WEEK_TARGET = "office week", 0.3  # seconds on the server, of 200 doctors
SLOWEST = 0.5  # seconds on the server, for a page that shows a whole house of 200 doctors too
GROWS = 1.5  # times the small hospital's time, where the page shows as much


@dataclass(frozen=True)
class Page:
    """`args` and the words in braces of `query` name subjects of bench.scene. `whole`: lists all of a house, so that
    a larger house has more to show; its time is measured, not compared."""

    name: str
    who: str  # nobody, patient, doctor, desk, office, admin, program
    url: str
    args: tuple[str, ...] = ()
    query: str = ""
    whole: bool = False


def _admin(model: str, app: str = "appointments") -> Page:
    return Page(f"admin {model}", "admin", f"admin:{app}_{model}_changelist")


PAGES = (
    Page("departments", "nobody", "appointments:departments", whole=True),
    Page("departments by pinyin", "nobody", "appointments:departments", query="q=ke", whole=True),
    Page("doctors of a department", "nobody", "appointments:doctors", ("department",)),
    Page("slices of a doctor", "nobody", "appointments:doctor_slots", ("role",)),
    Page("patient home", "patient", "appointments:patient_home"),
    Page("who and confirm", "patient", "appointments:book_who", query="schedule={schedule}&start={start}"),
    Page("my bookings", "patient", "appointments:bookings"),
    Page("one booking", "patient", "appointments:booking", ("booking",)),
    Page("change a booking", "patient", "appointments:booking_change", ("booking",)),
    Page("success card", "patient", "appointments:booking_done", ("booking",)),
    Page("family", "patient", "family"),
    Page("messages", "patient", "messages"),
    Page("consult room", "doctor", "appointments:consult"),
    Page("consult search", "doctor", "appointments:consult_search", query="q=ceshi1"),
    Page("desk", "desk", "appointments:desk", query="q=ceshi1"),
    Page("desk: a patient", "desk", "appointments:desk_patient", ("patient",)),
    Page("desk: numbers", "desk", "appointments:desk_numbers", ("patient",), "department={department}", whole=True),
    Page("desk board", "desk", "appointments:desk_board", query="department={department}"),
    Page("hall screen", "nobody", "appointments:screen_department", ("department",)),
    Page("office week", "office", "appointments:office_week", whole=True),
    Page("release calendar", "office", "appointments:office_releases", whole=True),
    Page("release calendar: a day", "office", "appointments:office_releases", query="day={coming}", whole=True),
    Page("runs of the jobs", "office", "appointments:office_runs"),
    Page("office week with a schedule", "office", "appointments:office_week", query="schedule={schedule}", whole=True),
    _admin("appointment"),
    _admin("slot"),
    _admin("schedule"),
    _admin("encounter"),
    _admin("allotment"),
    _admin("fact", "hospital"),
    _admin("auditevent", "hospital"),
    Page("API departments", "program", "api_departments"),
    Page("API doctors", "program", "api_doctors", whole=True),
    Page("API schedules", "program", "appointments:api_schedules", query="department={department}"),
    Page("API appointments", "program", "appointments:api_appointments"),
    Page("API patients", "program", "api_patients"),
    Page("API availability", "program", "appointments:api_availability", ("department",)),
    Page("API slices", "program", "appointments:api_slices", ("schedule",)),
)


def small_of(sizes: Sizes) -> Sizes:
    """As much on a page, little around it: fewer doctors and patients, a quarter behind instead of years."""
    return replace(
        sizes, doctors=max(5, sizes.doctors // 10), patients=max(500, sizes.patients // 100), history=2,
        visits=max(500, sizes.visits // 100),
    )  # fmt: skip


def measure(sizes: Sizes, scratch: Scratch, *, large: str, small: str) -> list[table.Row]:
    """`large` is a database with numbers, patients and a past, `small` one with nothing but its tables."""
    apart.run(scratch.url(small), "pages", "fill")
    apart.run(scratch.url(large), "pages", "prepare")
    asked: dict[str, list[dict]] = {large: [], small: []}
    for _round in range(sizes.rounds):
        for name in (large, small):
            asked[name].append(apart.run(scratch.url(name), "pages", "ask"))
    return rows_of(asked[large], asked[small])


def rows_of(large: list[dict], small: list[dict]) -> list[table.Row]:
    """A row a page, the count of pages that ask more in the large hospital, and the slowest."""
    rows = [_row(page, large, small) for page in PAGES]
    growing = [page.name for page in PAGES if large[0][page.name]["queries"] > small[0][page.name]["queries"]]
    most = max(large[0][page.name]["queries"] for page in PAGES)
    week = next(page for page in PAGES if page.name == WEEK)
    slowest = max(PAGES, key=lambda page: _ms(large, page))
    return [
        *rows,
        table.exactly(
            "pages with more queries than in the small hospital", len(growing), 0, better="lower",
            note=", ".join(growing) or f"of {len(PAGES)}; the most: {most}",
        ),
        table.Row(
            "the office's week of a whole house", _ms(large, week), None, _ms(large, week) / 1000, target=WEEK_TARGET,
            better="lower", unit="ms", note=f"{chosen().doctors} doctors × 7 days,"
            f" {large[0][WEEK]['queries']} queries, {large[0][WEEK]['kb']:.0f} KB",
        ),
        table.Row(
            "slowest page", _ms(large, slowest), None, _ms(large, slowest) / 1000, target=SLOWEST, better="lower",
            unit="ms", note=slowest.name,
        ),
    ]  # fmt: skip


def _row(page: Page, large: list[dict], small: list[dict]) -> table.Row:
    one = large[0][page.name]
    note = f"{one['queries']} queries ({small[0][page.name]['queries']} in the small one), {one['kb']:.0f} KB"
    more = {"better": "lower", "unit": "ms", "note": note}
    times = [each[page.name]["ms"] for each in large], [each[page.name]["ms"] for each in small]
    if page.whole:
        ours, reference = median(times[0]), median(times[1])
        return table.Row(f"page {page.name}", ours, reference, ours / 1000, target=SLOWEST, **more)
    return table.compare(f"page {page.name}: large ÷ small", *times, target=GROWS, **more)


def _ms(asked: list[dict], page: Page) -> float:
    return median(each[page.name]["ms"] for each in asked)


def ask() -> dict:
    """Every page: median milliseconds, queries, kilobytes."""
    from bench import scene

    place, looks = scene.find(), chosen().looks
    return {page.name: look(page, place, looks=looks) for page in PAGES}


def look(page: Page, place, *, looks: int = 5) -> dict:
    """One page: looked at for its queries, then timed (without `looks` while they are counted). Raises SystemExit when
    it isn't shown."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    address = reverse(page.url, args=[place.subjects[name] for name in page.args])
    if page.query:
        address += "?" + page.query.format(**place.subjects)
    client = place.client(page.who)
    first = client.get(address)
    if first.status_code != 200:
        raise SystemExit(f"{page.name}: {address} answers {first.status_code} {first.get('Location', '')}")
    asked, times = [], []
    for _again in range(2):  # rules kept for some seconds are read again now and then
        with CaptureQueriesContext(connection) as queries:
            answer, seconds = _timed(client, address)
        asked.append(len(queries))
        times.append(seconds)
    if looks:
        times = [_timed(client, address)[1] for _again in range(looks)]
    return {"ms": median(times) * 1000, "queries": min(asked), "kb": len(answer.content) / 1024}


def _timed(client, address: str) -> tuple:
    began = time.perf_counter()
    return client.get(address), time.perf_counter() - began


def fill() -> None:
    from bench import past, seed
    from hospital import clock

    sizes, today = small_of(chosen()), clock.today(clock.now())
    seed.fill(sizes, today=today)
    past.grow(sizes, today=today)
    past.live(sizes, today=today)
    prepare()


def prepare() -> None:
    from bench import scene

    scene.make(chosen())
