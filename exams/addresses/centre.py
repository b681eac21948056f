"""检查预约中心 /exam-centre/ and 检查室 /exam-rooms/."""

from django.urls import path, re_path

from exams.views import centre, centre_booking, centre_calls, centre_plan, checkin, rooms

CENTRE, ROOMS = "exam-centre/", "exam-rooms/"

urlpatterns = [
    path(CENTRE, centre.worklist_page, name="exam_centre"),
    path(CENTRE + "find/", centre.find, name="exam_centre_find"),
    path(CENTRE + "calls/", centre_calls.calls, name="exam_calls"),
    path(CENTRE + "calls/clear/", centre_calls.clear, name="exam_calls_clear"),
    path(CENTRE + "calls/<int:pk>/", centre_calls.call, name="exam_call"),
    path(CENTRE + "patients/<int:pk>/", centre.patient, name="exam_centre_patient"),
    path(CENTRE + "patients/<int:pk>/questions/", centre_booking.answers, name="exam_centre_answers"),
    path(CENTRE + "patients/<int:pk>/plan/", centre_plan.plan, name="exam_centre_plan"),
    path(CENTRE + "patients/<int:pk>/paper/", centre_calls.paper_choose, name="exam_centre_paper"),
    path(CENTRE + "patients/<int:pk>/paper/<int:variant>/", centre_calls.paper, name="exam_centre_paper_form"),
    path(CENTRE + "requests/<int:pk>/times/", centre_booking.times, name="exam_centre_times"),
    path(CENTRE + "requests/<int:pk>/withdraw/", centre_booking.withdraw, name="exam_centre_withdraw"),
    path(CENTRE + "bookings/<int:pk>/cancel/", centre_booking.cancel, name="exam_centre_cancel"),
    path(CENTRE + "noshows/<int:pk>/excuse/", centre.excuse, name="exam_centre_excuse"),
    path(ROOMS, rooms.front, name="exam_rooms"),
    path(ROOMS + "<int:pk>/", rooms.room, name="exam_room"),
    path(ROOMS + "<int:pk>/next/", rooms.call_next, name="exam_call_next"),
    path(ROOMS + "screens/<int:pk>/", rooms.screen, name="exam_screen"),
    path(ROOMS + "check-in/", checkin.find, name="exam_arrivals"),
    path(ROOMS + "check-in/<int:pk>/", checkin.arrival, name="exam_arrival"),
    path(ROOMS + "requests/<int:pk>/walk-in/", checkin.walk_in, name="exam_walk_in"),
    path(ROOMS + "bookings/<int:pk>/check-in/", checkin.check_in, name="exam_check_in"),
    path(ROOMS + "bookings/<int:pk>/device/", checkin.transfer, name="exam_transfer"),
    path(ROOMS + "bookings/<int:pk>/not-done/", rooms.not_done, name="exam_not_done"),
    path(ROOMS + "bookings/<int:pk>/finish-and-call/", rooms.finish_and_call, name="exam_finish_and_call"),
    re_path(r"^exam-rooms/bookings/(?P<pk>\d+)/(?P<act>call|start|finish|pass|undo)/$", rooms.act, name="exam_act"),
]
