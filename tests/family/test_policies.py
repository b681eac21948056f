"""May this person be added, and why not (B22, O4): tables, no database."""

from datetime import date

import pytest

from hospital import family_policies as policies
from hospital.models import AccountRule, RelatedPerson

TODAY = date(2026, 11, 23)
RULE = AccountRule(family_limit=5, guarded_until=14, binding_tries=5, additions=10)


def people(*relations):
    return [RelatedPerson(relation=relation, place=place) for place, relation in enumerate(relations, start=1)]


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2012, 11, 23), 14),  # the birthday itself
        (date(2012, 11, 24), 13),  # the day before
        (date(2026, 11, 23), 0),
        (date(2008, 2, 29), 18),  # born on a leap day
        (None, None),
    ],
)
def test_age_is_whole_years_on_the_hospitals_day(born, age):
    assert policies.age_on(born, TODAY) == age


@pytest.mark.parametrize(
    ("born", "child"),
    [(date(2012, 11, 23), False), (date(2012, 11, 24), True), (None, False), (date(1949, 1, 1), False)],
)
def test_who_is_under_fourteen_is_guarded(born, child):
    assert policies.is_child(born, rule=RULE, day=TODAY) is child


@pytest.mark.parametrize(
    ("wrong", "code"), [(0, None), (4, None), (5, "too_many_wrong_documents"), (9, "too_many_wrong_documents")]
)
def test_wrong_documents_are_counted_for_a_day(wrong, code):
    refusal = policies.refusal_to_try(wrong_today=wrong, rule=RULE)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("family", "lately", "relation", "code"),
    [
        ([], 0, "self", None),
        (["self"], 1, "self", "second_self"),
        (["self"], 1, "child", None),
        (["child"], 1, "self", None),
        (["self", "spouse", "parent", "parent"], 4, "child", None),
        (["self", "spouse", "parent", "parent", "child"], 5, "child", "family_full"),
        (["self"], 10, "child", "too_many_additions"),
    ],
)
def test_a_person_more_needs_room_and_a_relation(family, lately, relation, code):
    refusal = policies.refusal_to_add(family=people(*family), added_lately=lately, relation=relation, rule=RULE)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("born", "relation", "agreed", "code"),
    [
        (date(2015, 1, 1), "child", True, None),
        (date(2015, 1, 1), "child", False, "guardian_needed"),
        (date(2015, 1, 1), "other", False, "guardian_needed"),
        (date(2015, 1, 1), "self", True, "child_account"),
        (date(1990, 1, 1), "self", False, None),
        (None, "child", False, None),
    ],
)
def test_a_child_needs_its_guardian_and_no_account_of_its_own(born, relation, agreed, code):
    refusal = policies.refusal_of_child(born, relation=relation, agreed=agreed, rule=RULE, day=TODAY)
    assert (refusal.code if refusal else None) == code


def test_the_lowest_free_place_is_taken():
    rows = people("self", "child", "parent")
    del rows[1]
    assert policies.free_place(rows, limit=5) == 2
