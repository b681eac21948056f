"""Persons as a form names them. Numbers are the valid samples of the standard."""

from hospital import family
from tests.factories import IdentifierFactory, PatientFactory

CARD = "11010519491231002X"  # a woman of 76
OTHER_CARD = "440524188001010014"
CHILD_CARD = "110105201501010092"  # 11 years old
CHILD_BORN = "2015-01-01"


def person(**fields) -> family.Person:
    said = {"name": "李秀英", "kind": "id_card", "number": CARD, "relation": "self", **fields}
    return family.Person(**said)


def typed(**fields) -> dict:
    """What the form posts."""
    return {"name": "李秀英", "kind": "id_card", "number": CARD, "relation": "self", **fields}


def registered(*, name="李秀英", number=CARD, phone="13800136210", **fields):
    """Somebody whom a window registered before."""
    patient = PatientFactory(name=name, phone=phone, **fields)
    IdentifierFactory(patient=patient, number=number)
    return patient
