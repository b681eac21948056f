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

SOURCES = ("hospital", "appointments", "exams", "referrals", "billing", "templates")
CALLS = {
    "_": (0,),
    "gettext": (0,),
    "gettext_lazy": (0,),
    "gettext_noop": (0,),
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
}
"""Functions that mark a sentence, and which of their arguments are the sentence and its plural."""

CONTEXTS = {"pgettext": "gettext", "pgettext_lazy": "gettext", "npgettext": "ngettext", "npgettext_lazy": "ngettext"}
"""Functions whose first argument says which of several English words is meant; the rest is as in their namesake."""

CALL = re.compile(r"""(?:\bn?p?gettext|\b_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)""")
HAN = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3001-\u303f]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|\{\w+\}|%[sd]")
TAG = re.compile(r"</?\w[^>]*>|&\w+;|%%")
ENDS = (("。", "."), ("？", "?"))
"""A sentence ends as a sentence, a label without a stop."""
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
    context: str | None = None

    @property
    def key(self) -> tuple[str | None, str]:
        return self.context, self.text


def key_of(entry: polib.POEntry) -> tuple[str | None, str]:
    return entry.msgctxt or None, entry.msgid


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
        args = [arg.value if isinstance(arg, ast.Constant) else None for arg in node.args]
        context = args.pop(0) if name in CONTEXTS and args else None
        wanted = [args[n] for n in CALLS.get(CONTEXTS.get(name, name), ()) if n < len(args)]
        if wanted and all(isinstance(text, str) for text in wanted):
            yield Sentence(wanted[0], wanted[1] if len(wanted) == 2 else "", place, context)


def collect() -> dict[tuple[str | None, str], Sentence]:
    """Context and sentence → its plural and first place. What has no Chinese is a library's sentence, repeated."""
    found: dict[tuple[str | None, str], Sentence] = {}
    for sentence in sentences():
        known = found.get(sentence.key)
        if known is None or (sentence.plural and not known.plural):
            found[sentence.key] = sentence
    return {key: sentence for key, sentence in found.items() if HAN.search(sentence.text)}


def merge() -> polib.POFile:
    """The catalogue as it should be: what is said now, with the English that is known; the rest is empty."""
    known = {key_of(entry): entry for entry in polib.pofile(str(po_path()))} if po_path().exists() else {}
    merged = polib.POFile(wrapwidth=0)
    merged.metadata = HEADER
    for key, sentence in sorted(collect().items(), key=lambda item: (item[1].text, item[1].context or "")):
        entry = polib.POEntry(msgid=sentence.text, msgctxt=sentence.context, occurrences=[(sentence.place, "")])
        before = known.get(key)
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
    have = {key_of(entry) for entry in catalogue}
    found = [f"missing: {sentence.text} ({sentence.place})" for key, sentence in said.items() if key not in have]
    found += [f"no longer said: {text}" for context, text in have if (context, text) not in said]
    for entry in catalogue:
        for english in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            if not english.strip() or entry.fuzzy:
                found.append(f"no English: {entry.msgid}")
            elif HAN.search(english):
                found.append(f"Chinese in the English: {entry.msgid}")
            elif set(PLACEHOLDER.findall(english)) != set(PLACEHOLDER.findall(entry.msgid)):
                found.append(f"other placeholders: {entry.msgid}")
            elif sorted(TAG.findall(english)) != sorted(TAG.findall(entry.msgid)):
                found.append(f"other tags: {entry.msgid}")
            elif any(entry.msgid.rstrip().endswith(zh) != english.rstrip().endswith(en) for zh, en in ENDS):
                found.append(f"ends otherwise: {entry.msgid}")
            elif english.startswith("\n") != entry.msgid.startswith("\n"):
                found.append(f"other line ends: {entry.msgid}")
    return found
