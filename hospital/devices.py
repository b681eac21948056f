"""The browser that asks: a random mark in a cookie. Only its digest is ever stored (CodeSent, KnownDevice)."""

import secrets
from datetime import datetime, timedelta

from .fields import keyed_hash
from .models import KnownDevice, User

COOKIE = "device"
COOKIE_AGE = 400 * 86400  # seconds: the longest that browsers keep a cookie


def digest_of(request) -> str:
    """A browser without a mark gets one with this request's answer (middleware.DeviceMark)."""
    if not hasattr(request, "device_mark"):
        mark = request.COOKIES.get(COOKIE, "")
        request.device_is_new = not 20 <= len(mark) <= 64
        request.device_mark = secrets.token_urlsafe(32) if request.device_is_new else mark
    return keyed_hash("device", request.device_mark)


def is_known(*, user: User, device: str) -> bool:
    return KnownDevice.objects.filter(user=user, digest=device).exists()


def remember(*, user: User, device: str, now: datetime) -> None:
    """This browser was used by the account, now."""
    KnownDevice.objects.update_or_create(
        user=user,
        digest=device,
        defaults={"last_seen_at": now},
        create_defaults={"first_seen_at": now, "last_seen_at": now},
    )


def touch(*, user: User, device: str, now: datetime) -> None:
    """A browser that is known is in use; an unknown one doesn't become known by being signed in."""
    KnownDevice.objects.filter(user=user, digest=device).update(last_seen_at=now)


def forget_old(*, now: datetime) -> None:
    """Browsers whose mark has run out."""
    KnownDevice.objects.filter(last_seen_at__lt=now - timedelta(seconds=COOKIE_AGE)).delete()
