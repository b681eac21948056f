"""Bearer tokens for the ordinary endpoints. No session, no cookie, and so no CSRF: the token is the only credential."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from hospital import clock, tokens
from hospital.models import ApiToken

from .errors import OutOfScope, Unauthorized


class BearerToken(BaseAuthentication):
    """request.auth is the hospital.tokens.Caller; request.user its account, with the id only."""

    def authenticate(self, request):
        caller = tokens.bearer(request.headers.get("Authorization", ""), now=clock.now())
        if caller is None:
            raise Unauthorized()
        return caller.user, caller

    def authenticate_header(self, request):
        return "Bearer"


class InScope(BasePermission):
    """One of the view's `scopes` is enough. A view that names none is a mistake and open to nobody."""

    def has_permission(self, request, view):
        if request.auth is None or not view.scopes & request.auth.scopes:
            raise OutOfScope(scope=" / ".join(sorted(view.scopes)))
        return True


READ = frozenset({ApiToken.Scope.READ.value})
BOOK = frozenset({ApiToken.Scope.BOOK.value, ApiToken.Scope.BOOK_ANYONE.value})
INTEGRATE = frozenset({ApiToken.Scope.INTEGRATE.value})
REFER = frozenset({ApiToken.Scope.REFER.value})


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "Issued by the hospital's security administrator; scopes, channel and expiry are its own.",
        }
