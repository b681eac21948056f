"""检查目录 in the office. `kind`: preparations, questions or rules."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from appointments.views.office import numbers
from exams.views.catalogue import items, signed
from exams.views.catalogue.settings import PAGES


class Kind(StringConverter):
    """Only these, so that the other addresses below /office/exams/ stay free."""

    regex = "preparations|questions|rules"


register_converter(Kind, "exam_kind")

NUMBERS = {"pages": PAGES}

urlpatterns = [
    path("office/exams/items/", items.items, name="office_items"),
    path("office/exams/items/new/", items.item_edit, name="office_item_new"),
    path("office/exams/items/<int:pk>/", items.item, name="office_item"),
    path("office/exams/items/<int:pk>/edit/", items.item_edit, name="office_item_edit"),
    path("office/exams/sets/", items.sets, name="office_sets"),
    path("office/exams/sets/new/", items.set_edit, name="office_set_new"),
    path("office/exams/sets/<int:pk>/", items.set_edit, name="office_set"),
    path("office/exams/groups/", items.groups, name="office_groups"),
    path("office/exams/groups/new/", items.group_edit, name="office_group_new"),
    path("office/exams/groups/<int:pk>/", items.group_edit, name="office_group"),
    path("office/exams/waiting/", signed.waiting, name="office_signed_waiting"),
    path("office/exams/<exam_kind:kind>/", signed.board, name="office_signed"),
    path("office/exams/<exam_kind:kind>/new/", signed.write, name="office_signed_new"),
    path("office/exams/<exam_kind:kind>/<int:pk>/", signed.one, name="office_signed_one"),
    path("office/exams/<exam_kind:kind>/<int:pk>/approve/", signed.approve, name="office_signed_approve"),
    path("office/exams/<exam_kind:kind>/<int:pk>/retire/", signed.retire, name="office_signed_retire"),
    path("office/exams/settings/", numbers.listed, NUMBERS, name="office_numbers"),
    path("office/exams/settings/new/", numbers.new, NUMBERS, name="office_numbers_new"),
    path("office/exams/settings/<int:pk>/", numbers.one, NUMBERS, name="office_numbers_one"),
    path("office/exams/settings/<int:pk>/withdraw/", numbers.withdraw, NUMBERS, name="office_numbers_withdraw"),
]
