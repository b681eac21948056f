"""日历文件: one booking as RFC 5545 text that phones and computers take into their calendar.

Moments are in UTC (form #2), which needs no VTIMEZONE. The UID stays for the life of the booking and SEQUENCE grows
when it moves or is given back, so that a calendar that has the event changes it instead of adding a second one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

OCTETS = 75  # of a line, without its end (RFC 5545, 3.1)
PRODUCT = "-//Hospital appointments//Booking//ZH"


@dataclass(frozen=True)
class Entry:
    """What the calendar is told. Texts hold no more of a person than the booking's own page shows."""

    uid: str
    sequence: int
    starts: datetime
    ends: datetime
    summary: str
    location: str
    description: str
    cancelled: bool = False
    reminders: tuple[timedelta, ...] = field(default=(timedelta(days=1), timedelta(hours=2)))


def text_of(entry: Entry, *, now: datetime) -> bytes:
    """The whole file, folded, with the line ends that the standard asks for."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += ["BEGIN:VEVENT", f"UID:{entry.uid}", f"SEQUENCE:{entry.sequence}", f"DTSTAMP:{_moment(now)}"]
    lines += [f"DTSTART:{_moment(entry.starts)}", f"DTEND:{_moment(entry.ends)}"]
    lines += [f"SUMMARY:{_text(entry.summary)}", f"LOCATION:{_text(entry.location)}"]
    lines += [f"DESCRIPTION:{_text(entry.description)}", f"STATUS:{'CANCELLED' if entry.cancelled else 'CONFIRMED'}"]
    lines += ["TRANSP:OPAQUE"] if not entry.cancelled else ["TRANSP:TRANSPARENT"]
    if not entry.cancelled:
        for before in entry.reminders:
            lines += _alarm(before, entry.summary)
    lines += ["END:VEVENT", "END:VCALENDAR"]
    return b"".join(folded(line) for line in lines)


def _alarm(before: timedelta, summary: str) -> Iterable[str]:
    minutes = int(before.total_seconds() // 60)
    return [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER:-PT{minutes}M",
        f"DESCRIPTION:{_text(summary)}",
        "END:VALARM",
    ]


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """A value of type TEXT: backslash, semicolon, comma and line ends are escaped; other control characters go."""
    plain = "".join(sign for sign in text.replace("\r\n", "\n") if sign == "\n" or sign.isprintable())
    escaped = plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\n", "\\n")


def folded(line: str) -> bytes:
    """At most 75 octets a line, going on after CRLF and a space; a Chinese sign is never cut in the middle."""
    pieces, piece = [], b""
    for sign in line:
        octets = sign.encode()
        room = OCTETS - (1 if pieces else 0)  # a continued line begins with its space
        if len(piece) + len(octets) > room:
            pieces.append(piece)
            piece = b""
        piece += octets
    pieces.append(piece)
    return b"\r\n ".join(pieces) + b"\r\n"
