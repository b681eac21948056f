"""The words of a message: a template in the person's language, filled at the moment of sending or showing."""

from dataclasses import dataclass
from datetime import date, datetime

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from hospital import clock, masking
from hospital.models import Message

FOLDER = "messages/texts"
MOMENTS = ("start", "arrive", "was", "until")
"""Parameters that are ISO times; they are said as the hospital's wall time."""

DAYS = ("day",)
"""Parameters that are ISO days."""

ONLY_DAY = {"zh-hans": "n月j日 l", "en": "D j M Y"}
DAY_FORMATS = {"zh-hans": "n月j日 l H:i", "en": "D j M Y, H:i"}


@dataclass(frozen=True)
class Wording:
    title: str
    body: str


def wording_of(message: Message, *, language: str | None = None) -> Wording:
    """In `language`, or the patient's own, or for an account what `params` says. The person has a masked name only."""
    if language is None:
        language = message.patient.language if message.patient_id else message.params.get("language")
        language = language or translation.get_language()
    with translation.override(language):
        words = {**message.params, **_moments(message.params, language)}
        words["link"] = message.link
        words["person"] = masking.name(message.patient.name) if message.patient_id else ""
        title, _line, body = render_to_string(f"{FOLDER}/{message.template}.txt", words).strip().partition("\n")
    return Wording(title=title.strip(), body=_joined(body, language))


def _joined(body: str, language: str) -> str:
    """A template's lines are one text; Chinese needs no blank between sentences, English does."""
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return ("" if language.startswith("zh") else " ").join(lines)


def _moments(params: dict, language: str) -> dict[str, str]:
    said = {name: moment(params[name], language) for name in MOMENTS if params.get(name)}
    days = {name: date.fromisoformat(params[name]) for name in DAYS if params.get(name)}
    return said | {name: date_format(day, ONLY_DAY.get(language, ONLY_DAY["en"])) for name, day in days.items()}


def moment(iso: str, language: str) -> str:
    """11月25日 星期三 08:30 / Wed 25 Nov 2026, 08:30, at the hospital."""
    there = datetime.fromisoformat(iso).astimezone(clock.ZONE)
    return date_format(there, DAY_FORMATS.get(language, DAY_FORMATS["en"]))
