"""What a file is called: what its owner called it, without paths, tricks and endings that are not its own."""

import re
import unicodedata

from django.utils.translation import gettext as _

MOST = 80
"""Characters of a name without its ending."""

FORBIDDEN = re.compile(r'[<>:"|?*%;\\/]+')
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def cleaned(name: str, *, suffix: str) -> str:
    """`..\\..\\化验\u202e单.pdf.exe` with the ending .pdf is `化验单.pdf`: no folder, no hidden sign, one ending."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name or ""))[-1]
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    stem = " ".join(FORBIDDEN.sub(" ", seen).split())
    while ENDING.search(stem):
        stem = ENDING.sub("", stem)
    return (stem.strip(". ")[:MOST].strip(". ") or _("附件")) + suffix
