"""Which law of the sittings a write broke: the database's own word, as the code of a conflict.

Every writer of ScheduleParticipant asks here, and says it in its own place: a draft's line, a refusal, a list's row.
"""

from django.db import DatabaseError

CODES = {
    "a_doctor_is_in_one_place": "doctor_elsewhere",
    "a_room_has_one_clinic": "room_taken",
    "doctor_within_contract": "outside_contract",
}


def code_of(error: DatabaseError) -> str | None:
    """None: something else was broken, and goes on as it is."""
    return CODES.get(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None))
