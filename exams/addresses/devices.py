"""Devices: the office's week, downtimes, calls, and the answers of displaced patients."""

from django.urls import path

from exams.views import case_answers, device_calls, device_downtimes, device_lists, device_sheets, devices

urlpatterns = [
    path("office/exams/", devices.week, name="device_week"),
    path("office/exams/sessions/<int:pk>/close/", devices.close, name="device_session_close"),
    path("office/exams/sessions/<int:pk>/open/", devices.reopen, name="device_session_open"),
    path("office/exams/windows/<int:pk>/release/", devices.release, name="device_window_release"),
    path("office/exams/devices/", device_lists.devices, name="devices"),
    path("office/exams/devices/new/", device_lists.device, name="device_new"),
    path("office/exams/devices/<int:pk>/", device_lists.device, name="device"),
    path("office/exams/devices/<int:pk>/hours/", device_lists.hours, name="device_hours"),
    path("office/exams/sheets/", device_sheets.sheets, name="device_sheets"),
    path("office/exams/sheets/blank/", device_sheets.blank, name="device_sheets_blank"),
    path("office/exams/sheets/present/", device_sheets.present, name="device_sheets_present"),
    path("office/exams/sheets/<int:pk>/", device_sheets.one, name="device_sheet"),
    path("office/exams/sheets/<int:pk>/apply/", device_sheets.apply, name="device_sheet_apply"),
    path("office/exams/sheets/<int:pk>/discard/", device_sheets.discard, name="device_sheet_discard"),
    path("office/exams/zones/", device_lists.zones, name="exam_zones"),
    path("office/exams/teams/", device_lists.teams, name="exam_teams"),
    path("office/exams/devices/<int:pk>/add/", devices.add, name="device_day_add"),
    path("office/exams/devices/<int:pk>/down/", device_downtimes.new, name="downtime_new"),
    path("office/exams/downtimes/", device_downtimes.downtimes, name="downtimes"),
    path("office/exams/downtimes/<int:pk>/", device_downtimes.downtime, name="downtime"),
    path("office/exams/downtimes/<int:pk>/up/", device_downtimes.up, name="downtime_up"),
    path("office/exams/calls/", device_calls.calls, name="case_calls"),
    path("office/exams/calls/<int:pk>/", device_calls.call, name="case_call"),
    path("office/exams/calls/<int:pk>/phone/", device_calls.phone, name="case_call_phone"),
    path("office/exams/calls/<int:pk>/note/", device_calls.note, name="case_call_note"),
    path("office/exams/calls/<int:pk>/answer/", device_calls.answer, name="case_call_answer"),
    path("exam-answer/<str:token>/", case_answers.answer, name="case_answer"),
    path("exams/bookings/<int:pk>/answer/", case_answers.booking_answer, name="booking_answer"),
]
