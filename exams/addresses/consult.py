from django.urls import path

from exams.views import consult

urlpatterns = [
    path("consult/exams/search/", consult.search, name="consult_search"),
    path("consult/exams/done/", consult.done, name="consult_done"),
    path("consult/exams/act/", consult.act, name="consult_act"),
    path("consult/exams/drop/", consult.drop, name="consult_drop"),
    path("consult/exams/drop-plan/", consult.drop_plan, name="consult_drop_plan"),
    path("consult/exams/cancel/", consult.cancel, name="consult_cancel"),
]
