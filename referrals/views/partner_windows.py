"""One draft, two windows: what a colleague (or the same doctor elsewhere) wrote meanwhile is never overwritten unseen.

The page says which state of the draft it shows (`seen`) and which window it is. A save that was answered too late to
be heard of (the next one cut it off) is known by the window, kept in the session beside the state that it left.
The name of who consents for the patient waits there, too, until the letter is sent: it belongs to the trail.
"""

from hashlib import sha256
from uuid import uuid4

from django.http import HttpRequest

from referrals.models import Referral
from referrals.services.writing import WRITTEN

KEPT = "letters"
MOST = 20
"""Drafts remembered in a session; the oldest goes."""


def state_of(referral: Referral) -> str:
    """The same for the same words, wishes and receiver."""
    names = [f"{name}_id" if hasattr(referral, f"{name}_id") else name for name in ("receiver", *WRITTEN)]
    return sha256(repr([getattr(referral, name) for name in names]).encode()).hexdigest()[:16]


def window_of(request: HttpRequest) -> str:
    """The window that posts; a new one where a page is opened."""
    return request.POST.get("window", "")[:36] or str(uuid4())


def overtaken(request: HttpRequest, referral: Referral) -> bool:
    """Has somebody else written since the page was drawn? `referral`: locked, as it is kept before this save."""
    seen, now = request.POST.get("seen", ""), state_of(referral)
    if not seen or seen == now:
        return False
    kept = type(request.session)(request.session.session_key).get(KEPT, {})  # the save before may just be done
    kept = kept.get(str(referral.pk), {})
    return (kept.get("window"), kept.get("state")) != (request.POST.get("window"), now)


def saved(request: HttpRequest, referral: Referral, *, consenter: str | None) -> None:
    """In the transaction that wrote the draft: whoever finds the one finds the other."""
    said = {"window": request.POST.get("window", ""), "state": state_of(referral)}
    said["consenter"] = consenter_of(request, referral) if consenter is None else consenter
    rest = [(pk, one) for pk, one in request.session.get(KEPT, {}).items() if pk != str(referral.pk)]
    request.session[KEPT] = dict([*rest[-MOST + 1 :], (str(referral.pk), said)])
    request.session.save()


def consenter_of(request: HttpRequest, referral: Referral) -> str:
    return _kept(request, referral).get("consenter", "")


def forget(request: HttpRequest, referral: Referral) -> None:
    """Sent or discarded."""
    kept = request.session.get(KEPT, {})
    if kept.pop(str(referral.pk), None):
        request.session[KEPT] = kept


def _kept(request: HttpRequest, referral: Referral) -> dict:
    return request.session.get(KEPT, {}).get(str(referral.pk), {})
