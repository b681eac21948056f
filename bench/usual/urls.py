"""Ours, and the usual way beside it under /api/usual/."""

from django.urls import include, path

from .views import AppointmentViewSet

handler403 = "hospital.views.errors.forbidden"
handler404 = "hospital.views.errors.not_found"
handler500 = "hospital.views.errors.server_error"

urlpatterns = [
    path("", include("hospital.urls")),
    path("api/usual/schedules/<int:schedule_id>/appointments/", AppointmentViewSet.as_view({"post": "create"})),
]
