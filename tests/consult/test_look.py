"""The look of the house (V2): colours that can be read, and nothing inline that the security policy would drop."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKENS = (ROOT / "hospital/static/css/tokens.css").read_text()
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "hospital/static/css").glob("*.css"))

TEXT_ON = [
    ("ink", "paper"),
    ("ink", "wash"),
    ("ink-2", "paper"),
    ("ink-2", "wash"),
    ("ink-3", "paper"),
    ("ink-3", "wash"),
    ("on-brand", "brand"),
    ("on-brand", "brand-deep"),
    ("on-brand-2", "brand-deep"),
    ("brand", "paper"),
    ("brand-deep", "brand-wash"),
    ("ink-3", "brand-wash"),
    ("ok", "paper"),
    ("ok", "ok-wash"),
    ("warn", "warn-wash"),
    ("warn-ink", "warn-wash"),
    ("bad", "paper"),
    ("bad", "bad-wash"),
    ("bad-ink", "bad-wash"),
    ("ink", "heat-0"),
    ("ink", "heat-1"),
    ("ink", "heat-2"),
    ("ink", "heat-3"),
    ("on-brand", "heat-4"),
]


def colour(name: str) -> tuple[float, ...]:
    digits = re.search(rf"--{name}: #([0-9a-f]{{6}});", TOKENS)[1]
    return tuple(int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))


def luminance(name: str) -> float:
    """WCAG 2.2, relative luminance."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour(name)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_stands_out_from_its_ground(text, ground):
    """V2: 4.5 : 1."""
    assert contrast(text, ground) >= 4.5


def test_the_edge_of_a_field_can_be_seen():
    """V2: 3 : 1 for what is typed into."""
    assert contrast("line-field", "paper") >= 3


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_has_nothing_inline(template):
    text = template.read_text()

    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_loads_nothing_from_elsewhere(style):
    assert not re.search(r"@import|https?:", style.read_text())


def test_every_icon_that_a_template_names_is_in_the_sprite():
    symbols = set(re.findall(r'<symbol id="([a-z]+)"', (ROOT / "hospital/static/icons.svg").read_text()))
    named = {name for path in TEMPLATES for name in re.findall(r'_icon\.html" with name="([a-z]+)"', path.read_text())}

    assert named <= symbols
