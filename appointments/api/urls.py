"""Addresses of numbers and bookings for programs."""

from django.urls import path

from . import hot, integration

urlpatterns = [
    path("schedules/<int:schedule_id>/appointments/", hot.schedule_appointments, name="api_book"),
    path("integration/visits/<str:number>/", integration.IntegratedVisit.as_view(), name="api_their_visit"),
]
