"""Query parameters by django-filter. One that the document does not name is refused, so that no typing error filters
nothing in silence."""

from datetime import time

from django import forms
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters

from hospital import clock

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


class FromDay(filters.DateFilter):
    """Of a moment: from the beginning of that day of the hospital's."""

    def filter(self, rows, day):
        return rows.filter(**{f"{self.field_name}__gte": clock.at(day, time.min)}) if day else rows


class ToDay(filters.DateFilter):
    """Of a moment: until the end of that day."""

    def filter(self, rows, day):
        return rows.filter(**{f"{self.field_name}__lte": clock.at(day, time.max)}) if day else rows


class Word(forms.Field):
    """Django's own field reads an unknown word as "not asked", in silence."""

    words = {"true": True, "false": False}

    def to_python(self, value):
        if value is None:
            return None
        if value not in self.words:
            raise forms.ValidationError(_("只能是 true 或 false。"))
        return self.words[value]


class TrueOrFalse(filters.BooleanFilter):
    """A boolean as JSON writes it: anything else is refused by its name."""

    field_class = Word

    def __init__(self, *args, **kwargs):
        super().__init__(*args, widget=forms.TextInput, **kwargs)


class Filters(filters.DjangoFilterBackend):
    """Raises the field errors as 422 like those of a body."""

    def filter_queryset(self, request, queryset, view):
        filterset = self.get_filterset_class(view, queryset)
        refuse_parameters_but(request.query_params, known=PAGING | set(filterset.base_filters if filterset else ()))
        return super().filter_queryset(request, queryset, view)
