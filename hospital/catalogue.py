"""The English catalogue: which Chinese sentences the house says, and whether each has its English.

Reads the sources itself (templates by Django's own `templatize`, Python by its syntax tree), so that a test holds the
catalogue complete on a machine without gettext's programs. A tool for developers; polib is in requirements-dev.txt.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

SOURCES = ("hospital", "appointments", "templates")
CALLS = {
    "_": (0,),
    "gettext": (0,),
    "gettext_lazy": (0,),
    "gettext_noop": (0,),
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
}
"""Functions that mark a sentence, and which of their arguments are the sentence and its plural."""

CALL = re.compile(r"""(?:\bn?gettext|\b_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)""")
HAN = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3001-\u303f]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|\{\w+\}|%[sd]")
HEADER = {
    "Project-Id-Version": "hospital",
    "Language": "en",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


@dataclass(frozen=True)
class Sentence:
    text: str
    plural: str
    place: str


def po_path() -> Path:
    return settings.BASE_DIR / "locale" / "en" / "LC_MESSAGES" / "django.po"


def sentences() -> Iterator[Sentence]:
    """Every sentence that the sources mark for translation."""
    for root in SOURCES:
        for path in sorted((settings.BASE_DIR / root).rglob("*")):
            place = path.relative_to(settings.BASE_DIR).as_posix()
            if path.suffix == ".py" and "/migrations/" not in place:
                yield from _of_python(path.read_text(), place)
            elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
                # what templatize writes around the calls is filler, so each call is cut out and read as Python
                for call in CALL.findall(templatize(path.read_text(), origin=str(path))):
                    yield from _of_python(call, place)


def _of_python(code: str, place: str) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        wanted = [node.args[n] for n in CALLS.get(name, ()) if n < len(node.args)]
        texts = [part.value for part in wanted if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if texts and len(texts) == len(wanted):
            yield Sentence(texts[0], texts[1] if len(texts) == 2 else "", place)


def collect() -> dict[str, Sentence]:
    """Sentence → its plural and first place. Library sentences that we only repeat have no Chinese and are left out."""
    found: dict[str, Sentence] = {}
    for sentence in sentences():
        known = found.get(sentence.text)
        if known is None or (sentence.plural and not known.plural):
            found[sentence.text] = sentence
    return {text: sentence for text, sentence in found.items() if HAN.search(text)}


def merge() -> polib.POFile:
    """The catalogue as it should be: what is said now, with the English that is known; the rest is empty."""
    known = {entry.msgid: entry for entry in polib.pofile(str(po_path()))} if po_path().exists() else {}
    merged = polib.POFile(wrapwidth=0)
    merged.metadata = HEADER
    for text, sentence in sorted(collect().items()):
        entry = polib.POEntry(msgid=text, occurrences=[(sentence.place, "")])
        before = known.get(text)
        if sentence.plural:
            entry.msgid_plural = sentence.plural
            entry.msgstr_plural = before.msgstr_plural if before and before.msgstr_plural else {0: "", 1: ""}
        elif before:
            entry.msgstr = before.msgstr
        merged.append(entry)
    return merged


def save(catalogue: polib.POFile) -> None:
    po_path().parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(po_path()))
    catalogue.save_as_mofile(str(po_path().with_suffix(".mo")))


def problems(catalogue: polib.POFile) -> list[str]:
    """What keeps the catalogue from being complete English, a line each."""
    said = collect()
    have = {entry.msgid for entry in catalogue}
    found = [f"missing: {text} ({said[text].place})" for text in sorted(set(said) - have)]
    found += [f"no longer said: {text}" for text in sorted(have - set(said))]
    for entry in catalogue:
        for english in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            if not english.strip() or entry.fuzzy:
                found.append(f"no English: {entry.msgid}")
            elif HAN.search(english):
                found.append(f"Chinese in the English: {entry.msgid}")
            elif set(PLACEHOLDER.findall(english)) != set(PLACEHOLDER.findall(entry.msgid)):
                found.append(f"other placeholders: {entry.msgid}")
            elif english.startswith("\n") != entry.msgid.startswith("\n"):
                found.append(f"other line ends: {entry.msgid}")
    return found
