"""How far a long step is: one line that is drawn anew on a terminal, and a line every few seconds elsewhere."""

import re
import shutil
from time import monotonic

EVERY = 3.0  # seconds between two lines where nothing can be drawn anew
REDRAW = 0.2
EARLIEST = 0.02  # of the whole: before that, no estimate
LINE = re.compile(r"^ *(\d+) % {2}")
CELLS = 24


class Bar:
    """Written by the command that works; `out` is a stream with write and isatty."""

    def __init__(self, out, *, tick=monotonic):
        self.out, self.tick = out, tick
        self.began = self.last = tick()
        self.drawn = False

    def show(self, share: float, what: str) -> None:
        """`share` of the whole is done (0 to 1); `what` is being done."""
        now = self.tick()
        terminal = self.out.isatty()
        if share < 1 and now - self.last < (REDRAW if terminal else EVERY):
            return
        self.last = now
        text = line(share, what, gone=now - self.began)
        if terminal:
            self.out.write(redrawn(text))
            self.drawn = True
        else:
            self.out.write(text + "\n")
        self.out.flush()

    def end(self) -> None:
        """Leave the drawn line standing."""
        if self.drawn:
            self.out.write("\n")
            self.out.flush()
            self.drawn = False


def line(share: float, what: str, *, gone: float) -> str:
    """'  42 %  2026-03-01: 1,024 visits so far · 3 min 05 s gone, about 4 min 10 s to go'."""
    left = f", about {minutes(gone * (1 - share) / share)} to go" if EARLIEST <= share < 1 else ""
    return f"{int(share * 100):4d} %  {what} · {minutes(gone)} gone{left}"


def minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def redrawn(text: str) -> str:
    """The same line again with its bar, cut to the terminal's width; nothing of a longer one before stays."""
    width = shutil.get_terminal_size().columns
    found = LINE.match(text)
    if found:
        full = round(CELLS * int(found[1]) / 100)
        text = f"[{'█' * full}{'·' * (CELLS - full)}] {text.lstrip()}"
    return f"\r\x1b[2K{text[: width - 1]}"
