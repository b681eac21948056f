"""Pages by cursor: the place after the last row seen, so that a list that grows meanwhile neither repeats nor skips."""

from datetime import date, datetime

from django.core import signing
from django.db.models import F, Q
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from .errors import Invalid

SIZE, MOST = 50, 200


class Keyset(BasePagination):
    """The view names `order`: fields that together are unique, all rising or all falling ("-start", "-id").

    A cursor is signed with the view's name: a changed one, or one of another list, is refused.
    """

    def paginate_queryset(self, queryset, request, view=None):
        self.request, self.order = request, view.order
        self.signer = signing.Signer(salt=f"api.cursor.{type(view).__name__}")
        size = self._size()
        back, place = self._cursor()
        falling = self.order[0].startswith("-") != back
        names = [name.lstrip("-") for name in self.order]
        if place:
            queryset = queryset.filter(beyond(names, place, falling=falling))
        rows = list(queryset.order_by(*(F(name).desc() if falling else name for name in names))[: size + 1])
        more, rows = len(rows) > size, rows[:size]
        if back:
            rows.reverse()
        self.after = self._sign(False, rows[-1]) if rows and (more or back) else None
        self.before = self._sign(True, rows[0]) if rows and (place and not back or back and more) else None
        return rows

    def _size(self) -> int:
        said = self.request.query_params.get("page_size", str(SIZE))
        if not (said.isascii() and said.isdigit() and len(said) < 5 and 1 <= int(said) <= MOST):
            raise Invalid({"page_size": [f"1 … {MOST}"]})
        return int(said)

    def _cursor(self) -> tuple[bool, list | None]:
        said = self.request.query_params.get("cursor", "")
        if not said:
            return False, None
        try:
            back, place = self.signer.unsign_object(said)
        except (signing.BadSignature, ValueError):
            raise Invalid({"cursor": ["not a cursor of this list"]}) from None
        return back, place

    def _sign(self, back: bool, row) -> str:
        place = [value_of(row, name.lstrip("-")) for name in self.order]
        return self.signer.sign_object([back, place])

    def get_paginated_response(self, data):
        return Response({"next": self._link(self.after), "previous": self._link(self.before), "results": data})

    def _link(self, cursor: str | None) -> str | None:
        address = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return cursor and replace_query_param(address, "cursor", cursor)

    def get_paginated_response_schema(self, schema):
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "Address of the next page; null on the last one."},
                "previous": {**link, "description": "Address of the page before; null on the first one."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view):
        size = {"type": "integer", "minimum": 1, "maximum": MOST, "default": SIZE}
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "As it stands in `next` or `previous` of an answer.",
                "schema": {"type": "string"},
            },
            {"name": "page_size", "in": "query", "required": False, "description": "Rows a page.", "schema": size},
        ]


def value_of(row, path: str):
    for name in path.split("__"):
        row = getattr(row, name)
    return row.isoformat() if isinstance(row, date | datetime) else row


def beyond(names: list[str], place: list, *, falling: bool) -> Q:
    """Rows after `place`. The plain bound on the first field is what an index can use."""
    sign = "lt" if falling else "gt"
    after = Q(pk__in=[])
    same = Q()
    for name, value in zip(names, place, strict=True):
        after |= same & Q(**{f"{name}__{sign}": value})
        same &= Q(**{name: value})
    return Q(**{f"{names[0]}__{sign}e": place[0]}) & after
