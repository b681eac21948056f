"""The examples of docs/integration.md as programs: what it says is what is run, and it knows none of our code."""

import re
from pathlib import Path

from hospital.embedded.folders import PROJECT

EXAMPLE = re.compile(r"^```(?:python|sh)\n(# (\S+):.*?)^```", re.M | re.S)


def write_examples(folder: Path) -> dict[str, Path]:
    """File name → the file, made executable by nobody but its interpreter."""
    text = (PROJECT / "docs" / "integration.md").read_text()
    files = {}
    for code, name in EXAMPLE.findall(text):
        files[name] = folder / name
        files[name].write_text(code)
    return files
