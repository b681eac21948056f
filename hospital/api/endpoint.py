"""What the ordinary endpoints have in common."""

from rest_framework import generics, views
from rest_framework.response import Response


class Endpoint(views.APIView):
    """`scopes`: one of them is enough. OPTIONS tells anybody which methods there are, and nothing else."""

    scopes: frozenset[str] = frozenset()

    def initial(self, request, *args, **kwargs):
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)

    def options(self, request, *args, **kwargs):
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


class ListEndpoint(Endpoint, generics.ListAPIView):
    """Rows by cursor, in the fixed `order`; parameters that the document does not name are refused."""

    order: tuple[str, ...] = ("id",)
    takes_parameters = True


class DetailEndpoint(Endpoint, generics.RetrieveAPIView):
    """One row, or 404."""

    filter_backends: list = []
