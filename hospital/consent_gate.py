"""Nobody uses a page of their own before they agreed to the privacy notice in force (O4).

Asked at the first such page of a session and again every ten minutes, so that a new version reaches those who stay
signed in for weeks; in between a request costs no query. Reading notices, having data exported or erased, and going
back to the public pages never needs a consent.
"""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from . import clock, consents
from .permissions import is_patient_account

AGREED_AT = "privacy_agreed_at"  # in the session: when it was last looked up, seconds since 1970
ASK_AGAIN = 600  # seconds
OPEN = frozenset(
    {"privacy_ask", "privacy", "consent_withdraw", "export", "erasure", "correction", "request_drop", "code_again"}
)
"""Names of pages that rights or the asking itself need."""


class PrivacyGate:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, _args, _kwargs):
        if not getattr(view, "for_patients", False) or request.resolver_match.url_name in OPEN:
            return None
        now = clock.now()
        if now.timestamp() - request.session.get(AGREED_AT, 0) < ASK_AGAIN or not is_patient_account(request.user):
            return None
        if consents.privacy_missing(request.user, now) is None:
            request.session[AGREED_AT] = now.timestamp()
            return None
        page = request.get_full_path() if request.method == "GET" else reverse("appointments:patient_home")
        address = f"{reverse('privacy_ask')}?{urlencode({'next': page})}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": address})
        return redirect(address)
