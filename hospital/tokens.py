"""Bearer tokens of programs: who calls, through which channel, for whom."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from . import clock
from .models import AccountRule, User
from .models.token import digest

LOOK_UP = """
SELECT t.user_id, t.channel, t.scopes, t.organization_id, t.system,
       EXISTS (SELECT 1 FROM hospital_relatedperson p
                WHERE p.account_id = t.user_id AND p.patient_id = %(patient)s AND p.ended_at IS NULL),
       NOT 'book_anyone' = ANY (t.scopes) AND EXISTS (
           SELECT 1 FROM (SELECT DISTINCT ON (n.kind) n.id, n.kind FROM hospital_notice n
                           WHERE n.published_on <= %(today)s ORDER BY n.kind, n.version DESC) latest
            WHERE (latest.kind = 'privacy' OR %(patient)s IS NOT NULL)
              AND (latest.kind <> 'child' OR EXISTS (
                      SELECT 1 FROM hospital_patient p
                       WHERE p.id = %(patient)s AND p.birth_date > %(today)s::date - make_interval(years => coalesce(
                             (SELECT r.guarded_until FROM hospital_accountrule r WHERE r.effective_from <= %(today)s
                               ORDER BY r.effective_from DESC LIMIT 1), %(guarded)s))))
              AND NOT EXISTS (
                      SELECT 1 FROM hospital_consent c
                       WHERE c.account_id = t.user_id AND c.notice_id = latest.id AND c.withdrawn_at IS NULL
                         AND c.patient_id IS NOT DISTINCT FROM
                             CASE WHEN latest.kind <> 'privacy' THEN %(patient)s::bigint END))
  FROM hospital_apitoken t
  JOIN hospital_user u ON u.id = t.user_id AND u.is_active
 WHERE t.digest = %(digest)s AND t.expires_at > %(now)s AND t.revoked_at IS NULL
"""
"""In SQL, because every request of a program begins with it: building it by the ORM took a third of a booking.
The last column says what hospital.consents says in several queries; a test holds them equal."""
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
    organization_id: int | None  # of an integration, and its system
    system: str
    own_patient: bool = False
    lacks_consent: bool = False

    @property
    def books_anyone(self) -> bool:
        return "book_anyone" in self.scopes

    @property
    def may_book(self) -> bool:
        return self.books_anyone or "book" in self.scopes

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
