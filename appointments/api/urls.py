"""Addresses of numbers and bookings for programs."""

from django.urls import path

from . import hot

urlpatterns = [
    path("schedules/<int:schedule_id>/appointments/", hot.schedule_appointments, name="api_book"),
]
