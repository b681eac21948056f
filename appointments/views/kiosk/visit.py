"""One person before the machine: who, since when, and that it ends.

Kept in the machine's session under a short key that every form carries: a form of the person before opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from secrets import token_urlsafe

from django.http import HttpRequest
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from appointments.models.rules import Channel
from appointments.selectors.operator import Scope
from hospital import clock, masking
from hospital.models import Organization, Patient, Role
from hospital.permissions import assignments, role_required

KEPT, ASKED, MISSED = "kiosk_visit", "kiosk_asked", "kiosk_missed"
"""In the session: who is here; whose last four digits are asked; when nobody was found."""

IDLE = 60
"""Seconds without a touch after which the page goes back to the start. The page counts them down."""

GRACE = timedelta(seconds=IDLE + 30)
"""The server forgets a little later, should the page's script have died."""

SIGNED_IN_FOR = timedelta(days=14)
"""The machine's own session, from its last use: a long holiday doesn't sign it out (RolePolicy has the same)."""

MOST_MISSES, MISSES_WITHIN = 8, timedelta(minutes=5)
"""Numbers that name nobody: after so many the machine rests, so that nobody tries them out."""


@dataclass(frozen=True)
class Visit:
    patient: Patient
    key: str
    house: Organization
    now: datetime

    @property
    def masked(self) -> str:
        return masking.name(self.patient.name)

    def scope(self) -> Scope:
        return Scope(
            channel=Channel.KIOSK,
            house=self.house,
            partner_id=None,
            patient_id=self.patient.pk,
            department_id=None,
            now=self.now,
        )


def house_of(request: HttpRequest) -> Organization:
    return next(row.organization for row in assignments(request.user) if row.role == Role.KIOSK)


def begin(request: HttpRequest, patient: Patient, *, now: datetime) -> None:
    leave(request)
    request.session[KEPT] = {"patient": patient.pk, "key": token_urlsafe(9), "seen": now.timestamp()}
    request.session.set_expiry(SIGNED_IN_FOR)


def leave(request: HttpRequest) -> None:
    for name in (KEPT, ASKED):
        request.session.pop(name, None)


def ask(request: HttpRequest, patient: Patient, *, now: datetime) -> None:
    """A medical number was typed: the last four of the document say whether it is them."""
    request.session[ASKED] = {"patient": patient.pk, "seen": now.timestamp()}


def asked(request: HttpRequest, *, now: datetime) -> Patient | None:
    kept = request.session.get(ASKED)
    if not kept or _over(kept, now):
        return None
    return Patient.objects.filter(pk=kept["patient"], active=True).first()


def miss(request: HttpRequest, *, now: datetime) -> None:
    request.session[MISSED] = [*_misses(request, now), now.timestamp()][-MOST_MISSES:]


def rests(request: HttpRequest, *, now: datetime) -> bool:
    return len(_misses(request, now)) >= MOST_MISSES


def _misses(request: HttpRequest, now: datetime) -> list[float]:
    since = (now - MISSES_WITHIN).timestamp()
    return [moment for moment in request.session.get(MISSED, []) if moment > since]


def _over(kept: dict, now: datetime) -> bool:
    return now.timestamp() - kept["seen"] > GRACE.total_seconds()


def kiosk_page(view):
    """For the machine's account only; nothing of it is kept by a browser."""
    return never_cache(role_required(Role.KIOSK)(view))


def visiting(view):
    """The view gets the person before the machine; without one, or with somebody else's form, it is the start."""

    @kiosk_page
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs):
        now, kept = clock.now(), request.session.get(KEPT)
        theirs = kept and (request.method != "POST" or request.POST.get("visit") == kept["key"])
        person = theirs and not _over(kept, now) and Patient.objects.filter(pk=kept["patient"], active=True).first()
        if not person:
            leave(request)
            return redirect("appointments:kiosk")
        request.session[KEPT] = kept | {"seen": now.timestamp()}
        return view(request, Visit(person, kept["key"], house_of(request), now), *args, **kwargs)

    return guarded
