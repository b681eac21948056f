"""优待: whom the numbers of the special-group pool are for (P7). Pure: no query, no clock."""

from datetime import date

from appointments.models.rules import Channel

FROM_AGE = 60
"""Years: 老年人权益保障法 article 2."""

ASKED = frozenset({Channel.PHONE, Channel.KIOSK})
"""Channels where nobody sees a document: what was seen at the window before, or the age, decides. The counter sees
the person and may always take these numbers; every other channel has them only once they are shared."""


def is_special(*, birth_date: date | None, special: str, today: date) -> bool:
    """60 years and older, or a document for it was seen at the window (Patient.special)."""
    return bool(special) or (birth_date is not None and years(birth_date, today=today) >= FROM_AGE)


def years(born: date, *, today: date) -> int:
    """Whole years, as people count them."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def may_take_special(channel: str, *, special: bool) -> bool:
    """`special`: the patient is one of the group."""
    return special or channel not in ASKED
