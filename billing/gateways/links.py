"""Where the insurance is, for which house (gateways.beside).

    [[link]]
    house = "H1"            # the institution's code; "*" for all that have none of their own
    url = "https://10.1.2.3:8443/fsi/api"      # up to the transaction's number
    fixmedins_code = "H11010800001"
    fixmedins_name = "…"
    area = "110108"         # mdtrtarea_admvs
    paasid = "…"
    token_file = "insurance.token"    # beside this file
    seconds = 6             # of one call

settings.INSURANCE_LINKS names it.
"""

from pathlib import Path

from . import beside
from .insurance import Link, NationalInterface
from .ports import InsurancePort


def read(path: Path) -> list[tuple[str, Link]]:
    """Every link by its house. Raises OSError, beside.Unfit."""
    return beside.entries(path, "link", _link)


def _link(entry: dict, folder: Path) -> tuple[str, Link]:
    return str(entry["house"]), Link(
        url=beside.https(entry, "url"),
        fixmedins_code=str(entry["fixmedins_code"]),
        fixmedins_name=str(entry.get("fixmedins_name", "")),
        area=str(entry.get("area", "")),
        paasid=str(entry.get("paasid", "")),
        token=beside.secret(entry, "token", folder),
        seconds=float(entry.get("seconds", Link.seconds)),
    )


file = beside.Beside("INSURANCE_LINKS", read)


def of_house(organization: int) -> InsurancePort | None:
    """The house's own link before the one for everywhere. None: it settles with no insurance."""
    return file.of_house(organization, _interface)


def _interface(links: list, code: str) -> InsurancePort | None:
    link = beside.own_or_everywhere(links, code)
    return NationalInterface(link) if link else None
