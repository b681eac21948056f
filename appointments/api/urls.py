"""Addresses of numbers and bookings for programs."""

from django.urls import path

from . import appointments, hot, integration, schedules, waitlist

urlpatterns = [
    path("schedules/<int:schedule_id>/appointments/", hot.schedule_appointments, name="api_book"),
    path("departments/<int:department_id>/availability/", hot.department_availability, name="api_availability"),
    path("schedules/<int:schedule_id>/slices/", hot.schedule_slices, name="api_slices"),
    path("schedules/", schedules.Schedules.as_view(), name="api_schedules"),
    path("schedules/<int:pk>/", schedules.OneSchedule.as_view(), name="api_schedule"),
    path("appointments/", appointments.Appointments.as_view(), name="api_appointments"),
    path("appointments/<int:pk>/", appointments.OneAppointment.as_view(), name="api_appointment"),
    path("appointments/<int:pk>/confirm/", appointments.Confirm.as_view(), name="api_confirm"),
    path("appointments/<int:pk>/cancel/", appointments.Cancel.as_view(), name="api_cancel"),
    path("appointments/<int:pk>/reschedule/", appointments.Reschedule.as_view(), name="api_reschedule"),
    path("waitlist/", waitlist.Waitlist.as_view(), name="api_waitlist"),
    path("waitlist/<int:pk>/", waitlist.OneEntry.as_view(), name="api_wait"),
    path("waitlist/<int:pk>/accept/", waitlist.Accept.as_view(), name="api_wait_accept"),
    path("integration/visits/<str:number>/", integration.IntegratedVisit.as_view(), name="api_their_visit"),
]
