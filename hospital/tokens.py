"""Bearer tokens of programs: who calls, through which channel, for whom."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from .models import ApiToken, Patient, User
from .models.token import digest


@dataclass(frozen=True)
class Caller:
    user: User
    channel: str
    may_book_patient: bool


def bearer(header: str, *, patient_id: int, now: datetime) -> Caller | None:
    """The caller behind an Authorization header, in one query; None when the token is unknown, over or revoked.

    `may_book_patient`: the patient is the account's own and the token may book, or it may book anyone.
    """
    kind, _space, secret = header.partition(" ")
    if kind.lower() != "bearer" or not secret:
        return None
    own = Q(scopes__contains=[ApiToken.Scope.BOOK]) & Exists(
        Patient.objects.filter(pk=patient_id, account=OuterRef("user"))
    )
    anyone = Q(scopes__contains=[ApiToken.Scope.BOOK_ANYONE])
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest(secret), expires_at__gt=now, revoked_at__isnull=True, user__is_active=True)
        .annotate(allowed=ExpressionWrapper(own | anyone, output_field=BooleanField()))
        .first()
    )
    return token and Caller(user=token.user, channel=token.channel, may_book_patient=token.allowed)
