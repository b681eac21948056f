"""Refusals: a program reads the code, so a code means one thing."""

from collections import Counter

from appointments import errors


def test_no_two_refusals_share_a_code():
    named = [getattr(errors, name) for name in errors.__all__]
    own = [refusal.code for refusal in named if "code" in vars(refusal)]
    assert [code for code, count in Counter(own).items() if count > 1] == []
