"""R1: a diagnosis is found by what is quickest to type, without asking anybody outside."""

import csv
import re

import pytest

from referrals.selectors import icd10


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("i10", "I10"),
        ("gxy", "I10"),
        ("高血压", "I10"),
        ("tnb", "E11.9"),
        ("冠心病", "I25.1"),
        ("COPD", "J44.9"),
        ("e119", "E11.9"),
        ("naogengsi", "I63.9"),
        ("肾 结石", "N20.0"),
    ],
)
def test_a_diagnosis_is_found_by_code_name_short_name_and_initials(typed, first):
    """R1"""
    found = icd10.search(typed)

    assert found[0].code == first
    assert len(found) <= icd10.MOST


@pytest.mark.parametrize("typed", ["", "  ,、", "没有这种病", "' OR 1=1 --", "x" * 500])
def test_what_is_on_no_list_finds_nothing(typed):
    assert icd10.search(typed) == []


@pytest.mark.parametrize(
    ("code", "typed", "diagnosis"),
    [
        ("I10", "gxy", "原发性高血压"),
        ("i10", "", "原发性高血压"),
        ("I10", "高血压 3 级", "高血压 3 级"),
        ("", "腹痛待查", "腹痛待查"),
        ("Z99.9", "abc", "abc"),
    ],
)
def test_what_was_typed_to_search_becomes_the_name_and_words_of_ones_own_stay(code, typed, diagnosis):
    """R1"""
    assert icd10.named(code, typed) == diagnosis


def test_every_line_of_the_list_is_a_code_once_with_a_name_that_fits_its_column():
    with icd10.LIST.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) > 1000
    assert [row["code"] for row in rows] == sorted({row["code"] for row in rows})
    assert all(re.fullmatch(r"[A-Z]\d\d(\.\d)?", row["code"]) and 0 < len(row["name"]) <= 120 for row in rows)
