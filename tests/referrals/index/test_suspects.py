"""P10: which records may be one person."""

from datetime import date

import pytest

from hospital import patient_index, patients
from hospital.models import DuplicateSuspect
from tests.factories import NOW, IdentifierFactory, PatientFactory

pytestmark = pytest.mark.django_db
BORN = {"pinyin": "zhouzhiming", "birth_date": date(1970, 5, 1), "sex": "M", "phone": ""}
PHONE = "13900001111"


def pairs() -> set[tuple]:
    rows = DuplicateSuspect.objects.order_by("pk")
    return {(row.first_id, row.second_id, tuple(sorted(row.why))) for row in rows}


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ({}, {}, ("name_birth",)),
        ({"name": "周志明"}, {"name": "周志铭"}, ("name_birth",)),
        ({}, {"sex": "U"}, ("name_birth",)),
        ({}, {"sex": "F"}, None),
        ({}, {"pinyin": "lisi"}, None),
        ({"phone": PHONE}, {"phone": PHONE, "birth_date": None}, ("name_phone",)),
        ({"phone": PHONE}, {"phone": PHONE, "pinyin": "zhouzhi"}, ("birth_phone",)),
        ({"phone": PHONE}, {"phone": PHONE}, ("birth_phone", "name_birth", "name_phone")),
        ({}, {"active": False}, None),
        ({"pinyin": ""}, {"pinyin": ""}, None),
    ],
)
def test_the_night_finds_the_pairs_that_may_be_one_person_once(one, other, why):
    first, second = PatientFactory(**BORN | one), PatientFactory(**BORN | other)
    PatientFactory()
    expected = {(first.pk, second.pk, why)} if why else set()
    for _night in range(2):
        patient_index.find_all(now=NOW)
        assert pairs() == expected


@pytest.mark.parametrize(("phone", "found"), [("", 0), (PHONE, 1)])
def test_two_identity_cards_that_hold_are_two_people_unless_the_phone_speaks_too(phone, found):
    for number in ("11010519491231002X", "440524188001010014"):
        IdentifierFactory(patient=PatientFactory(**BORN | {"phone": phone}), number=number)
    assert patient_index.find_all(now=NOW) == found


def test_what_too_many_share_says_nothing():
    PatientFactory.create_batch(13, **BORN)
    assert patient_index.find_all(now=NOW) == 0


def test_a_pair_that_was_told_apart_is_not_asked_again_until_somebody_asks(clerk):
    one, other = PatientFactory(**BORN), PatientFactory(**BORN)
    patient_index.find_all(now=NOW)
    row = patient_index.open_pairs().get()
    patient_index.differ(suspect=row, note="双胞胎", by=clerk, now=NOW)
    assert patient_index.find_all(now=NOW) == 0
    assert not patient_index.open_pairs().exists()
    assert patient_index.propose(one=other, other=one, by=clerk, now=NOW) == row
    assert patient_index.open_pairs().get() == row


def test_who_is_registered_a_second_time_is_found_at_once(clerk):
    """A passport the first time, the card the second; and one number under two kinds of document."""
    first = PatientFactory(**BORN | {"birth_date": date(1949, 12, 31), "sex": "F"})
    IdentifierFactory(patient=first, kind="social_card", number="11010519491231002X", checked=False)
    said = {"name": "王小芳", "documents": [("id_card", "11010519491231002X")], "by": clerk, "now": NOW}
    second = patients.register_patient(**said)
    assert pairs() == {(first.pk, second.pk, ("document",))}


def test_registering_asks_the_index_two_questions_more(clerk, django_assert_max_num_queries):
    PatientFactory.create_batch(3)
    with django_assert_max_num_queries(13):
        patients.register_patient(name="赵一", documents=[("passport", "E12345678")], by=clerk, now=NOW)
