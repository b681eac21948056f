"""What a doctor has written of a plan and not yet sent.

Kept beside the sign-ins, not in one: an idle log-out, another desk or a closed window loses nothing, and nobody else
reads it. Half a day, then it is gone.
"""

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.utils.crypto import salted_hmac

KEPT = timedelta(hours=12)
LONGEST = 4000
"""Characters of one field: as many as the longest of the form."""


class Draft:
    """One person's, about one patient's way down. `about`: e.g. "referral:12"."""

    def __init__(self, *, user_id: int, about: str):
        self._key = salted_hmac("referrals.down.draft", f"{user_id}/{about}").hexdigest()

    def read(self, *, now: datetime) -> dict:
        """{"said": {field: text}, "at": ISO moment}, or nothing."""
        row = Session.objects.filter(session_key=self._key, expire_date__gt=now).first()
        return row.get_decoded() if row else {}

    def keep(self, said: dict[str, str], *, now: datetime) -> None:
        kept = {"said": {name: text[:LONGEST] for name, text in said.items()}, "at": now.isoformat()}
        row = {"session_data": Session.objects.encode(kept), "expire_date": now + KEPT}
        Session.objects.update_or_create(session_key=self._key, defaults=row)

    def forget(self) -> None:
        Session.objects.filter(session_key=self._key).delete()
