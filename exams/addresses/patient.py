"""A patient's own exams."""

from django.urls import path

from exams.views.patient import booking, change, lists, together

urlpatterns = [
    path("exams/", lists.mine, name="mine"),
    path("exams/requests/<int:pk>/", booking.questions, name="my_exam_request"),
    path("exams/requests/<int:pk>/times/", booking.times, name="my_exam_times"),
    path("exams/together/<int:patient>/", together.questions, name="my_exams_together"),
    path("exams/together/<int:patient>/plans/", together.plans, name="my_exams_plans"),
    path("exams/bookings/<int:pk>/", lists.exam, name="my_exam"),
    path("exams/bookings/<int:pk>/confirm/", booking.confirm, name="my_exam_confirm"),
    path("exams/bookings/<int:pk>/done/", lists.exam_done, name="my_exam_done"),
    path("exams/bookings/<int:pk>/move/", change.move, name="my_exam_move"),
    path("exams/bookings/<int:pk>/cancel/", change.cancel, name="my_exam_cancel"),
    path("exams/bookings/<int:pk>/calendar.ics", lists.exam_calendar, name="my_exam_calendar"),
]
