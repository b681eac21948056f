"""How a long step tells how far it is."""

import io

from appointments.demo.progress import Progress
from hospital.embedded import bar


class Screen(io.StringIO):
    def isatty(self):
        return True


class Watch:
    """A clock that is turned by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_line_says_how_far_what_how_long_and_how_long_still():
    assert bar.line(0.25, "2026-03-01: 1,024 visits", gone=65) == (
        "  25 %  2026-03-01: 1,024 visits · 1 min 05 s gone, about 3 min 15 s to go"
    )


def test_nothing_is_foretold_before_anything_is_known_nor_at_the_end():
    assert bar.line(0.0, "reading", gone=1) == "   0 %  reading · 1 s gone"
    assert bar.line(1.0, "done", gone=40) == " 100 %  done · 40 s gone"


def test_a_log_gets_a_line_every_few_seconds_and_the_last_one():
    out, watch = io.StringIO(), Watch()
    shown = bar.Bar(out, tick=watch)

    for second in range(10):
        watch.now = second
        shown.show(second / 10, "numbers")
    shown.show(1.0, "all")
    shown.end()

    assert [line[:6] for line in out.getvalue().splitlines()] == ["  30 %", "  60 %", "  90 %", " 100 %"]


def test_a_terminal_is_drawn_anew_on_the_same_line_and_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out, watch = Screen(), Watch()
    shown = bar.Bar(out, tick=watch)

    for second in (1, 2):
        watch.now = second
        shown.show(second / 4, "a very long description of what is being done at the moment")
    shown.end()

    first, second = out.getvalue().removesuffix("\n").split("\r\x1b[2K")[1:]
    assert "\n" not in first + second
    assert second.startswith("[" + "█" * 12 + "·" * 12 + "] 50 %")
    assert len(second) == 59


def test_a_step_of_the_start_knows_a_line_of_progress_when_it_reads_one():
    assert bar.LINE.match(bar.line(0.5, "numbers", gone=1))
    assert not bar.LINE.match("Applying hospital.0001_initial... OK")


def test_parts_weigh_what_they_take():
    told = []
    progress = Progress({"workbook": 1, "numbers": 100, "people": 1000}, lambda share, what: told.append(share))

    for part, share in (("workbook", 1), ("numbers", 0.5), ("numbers", 1), ("people", 1)):
        progress.at(part, share, part)

    assert told == sorted(told)
    assert told[0] < told[1] < 1 == told[-1]
