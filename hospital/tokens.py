"""Bearer tokens of programs: who calls, through which channel, for whom."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from . import clock
from .models import AccountRule, User
from .models.token import PARTNER, digest

LOOK_UP = "SELECT * FROM token_caller(%(digest)s, %(patient)s, %(now)s, %(today)s, %(guarded)s)"
"""hospital/sql/token_caller.sql: building it by the ORM took a third of a booking."""
GUARDED = AccountRule._meta.get_field("guarded_until").default


@dataclass(frozen=True)
class Caller:
    """`user` has its id only; other fields are fetched when they are asked for.

    `own_patient`: the patient that was asked about is one of the account's people. `lacks_consent`: the account has not
    agreed to every notice in force that booking for this patient needs, and where no patient was asked about, to the
    privacy notice (O4); never of a programme that books anyone, whose hospital asked the patient itself.
    """

    user: User
    channel: str
    scopes: frozenset[str]
    organization_id: int | None  # of an integration, and its system; of a partner's token: the lower institution
    system: str
    own_patient: bool = False
    lacks_consent: bool = False

    @property
    def partner_id(self) -> int | None:
        """The lower institution that the numbers are taken for (P5)."""
        return self.organization_id if self.channel == PARTNER else None

    @property
    def books_anyone(self) -> bool:
        return "book_anyone" in self.scopes

    @property
    def may_book_patient(self) -> bool:
        return self.books_anyone or ("book" in self.scopes and self.own_patient)


def bearer(header: str, *, now: datetime, patient_id: int | None = None) -> Caller | None:
    """The caller behind an Authorization header, in one query; None when the token is unknown, over or revoked."""
    kind, _space, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret:
        return None
    with connection.cursor() as cursor:
        asked = {"patient": patient_id, "digest": digest(secret), "now": now, "today": clock.today(now)}
        cursor.execute(LOOK_UP, asked | {"guarded": GUARDED})
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, channel, scopes, organization_id, system, own, lacks_consent = row
    return Caller(
        user=User.from_db(connection.alias, ["id"], [user_id]),
        channel=channel,
        scopes=frozenset(scopes),
        organization_id=organization_id,
        system=system,
        own_patient=own,
        lacks_consent=lacks_consent,
    )
