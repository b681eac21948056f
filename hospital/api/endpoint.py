"""What the ordinary endpoints have in common."""

from rest_framework import generics, views
from rest_framework.response import Response

from .errors import PrivacyNeeded


class Endpoint(views.APIView):
    """`scopes`: one of them is enough. OPTIONS tells anybody which methods there are, and nothing else.

    `asks_privacy`: only for an account that agreed to the privacy notice in force (O4), like its pages.
    """

    scopes: frozenset[str] = frozenset()
    asks_privacy = False

    def initial(self, request, *args, **kwargs):
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)
            if self.asks_privacy and request.auth.lacks_consent:
                raise PrivacyNeeded()

    def read(self, request, shape) -> dict:
        """The body as `shape` takes it. Raises ValidationError."""
        asked = shape(data=request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)

    def options(self, request, *args, **kwargs):
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


class ListEndpoint(Endpoint, generics.ListAPIView):
    """Rows by cursor, in the fixed `order`; parameters that the document does not name are refused."""

    order: tuple[str, ...] = ("id",)
    takes_parameters = True


class DetailEndpoint(Endpoint, generics.RetrieveAPIView):
    """One row, or 404."""

    filter_backends: list = []
