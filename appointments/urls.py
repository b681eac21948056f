"""Addresses of the heart: consult room, desk, office, and the hot endpoint for programs."""

from django.urls import path

from . import api
from .views import consult, consult_basket

app_name = "appointments"
urlpatterns = [
    path("consult/", consult.room, name="consult"),
    path("consult/fresh/", consult.fresh, name="consult_fresh"),
    path("consult/search/", consult.search, name="consult_search"),
    path("consult/next/", consult.next_patient, name="consult_next"),
    path("consult/call/", consult.call_patient, name="consult_call"),
    path("consult/finish/", consult.finish, name="consult_finish"),
    path("consult/sit/", consult.sit, name="consult_sit"),
    path("consult/refer/", consult.refer, name="consult_refer"),
    path("consult/basket/lines/", consult_basket.lines, name="consult_lines"),
    path("consult/basket/drop/", consult_basket.drop, name="consult_drop"),
    path("consult/basket/confirm/", consult_basket.confirm, name="consult_confirm"),
    path("consult/basket/move/", consult_basket.move, name="consult_move"),
    path("consult/basket/cancel/", consult_basket.cancel, name="consult_cancel"),
    path("consult/slip/<uuid:basket>/", consult_basket.slip, name="consult_slip"),
    path("api/v1/schedules/<int:schedule_id>/appointments/", api.book, name="api_book"),
]
