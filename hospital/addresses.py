"""Where a request comes from: the socket's peer, or what our own proxy says when there is one."""

from django.conf import settings


def client_address(request) -> str | None:
    """The last address in X-Forwarded-For is the one our proxy wrote itself; earlier ones are the client's claim."""
    if settings.SECURE_PROXY_SSL_HEADER:  # BEHIND_PROXY
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
        if forwarded:
            return forwarded
    return request.META.get("REMOTE_ADDR") or None
