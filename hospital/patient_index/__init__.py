"""One patient index for all institutions (P10): records that may be one person, merged by a person, taken back exactly.

Apps above are reached through Django's registry of models; the one thing that it can't say, whose row a PatientTime is,
they tell (`keeps_time`).
"""

from .merging import merge, refusal_to_merge
from .suspects import differ, find_all, find_for, open_pairs, propose
from .tables import keeps_time, weights
from .undoing import undo
from .whose import known_as, records_of

__all__ = [
    "differ",
    "find_all",
    "find_for",
    "keeps_time",
    "known_as",
    "merge",
    "open_pairs",
    "propose",
    "records_of",
    "refusal_to_merge",
    "undo",
    "weights",
]
