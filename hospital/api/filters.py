"""Query parameters by django-filter. One that the document does not name is refused, so that no typing error filters
nothing in silence."""

from django import forms
from django_filters import rest_framework as filters

from .plain import refuse_parameters_but

LARGEST = 2**63 - 1
PAGING = frozenset({"cursor", "page_size"})


class RowNumber(filters.NumberFilter):
    """The id of a row: what does not fit into a bigint is refused before PostgreSQL sees it."""

    field_class = forms.IntegerField

    def __init__(self, *args, **kwargs):
        super().__init__(*args, min_value=1, max_value=LARGEST, **kwargs)

    def get_max_validator(self):
        return None


class Filters(filters.DjangoFilterBackend):
    """Raises the field errors as 422 like those of a body."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset_class(view, queryset)
        refuse_parameters_but(request.query_params, known=PAGING | set(filterset.base_filters if filterset else ()))
        return super().filter_queryset(request, queryset, view)
