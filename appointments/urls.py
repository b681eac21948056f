"""Addresses of the heart: consult room, desk, office, and the hot endpoint for programs."""

from django.urls import include, path, re_path

from .views import boards, consult, consult_basket, desk, window, workstation
from .views.bookings import acts, cards, change, who
from .views.office import week
from .views.patient import departments, doctors, home, slots
from .views.phone import booking as calls
from .views.phone import desk as operators

app_name = "appointments"
urlpatterns = [
    path("api/v1/", include("appointments.api.urls")),  # first: the hot ones
    path("book/", home.home, name="patient_home"),
    path("book/departments/", departments.departments, name="departments"),
    path("book/departments/<int:pk>/", doctors.doctors, name="doctors"),
    path("book/doctors/<int:pk>/", slots.doctor, name="doctor_slots"),
    path("book/teams/<int:pk>/", slots.team, name="team_slots"),
    path("book/clinics/<int:department>/<int:service>/", slots.clinic, name="clinic_slots"),
    path("book/who/", who.book_who, name="book_who"),
    path("book/back/", slots.back, name="book_back"),
    path("bookings/", cards.bookings, name="bookings"),
    path("bookings/<int:pk>/", cards.booking, name="booking"),
    path("bookings/<int:pk>/done/", cards.booking_done, name="booking_done"),
    path("bookings/<int:pk>/cancel/", acts.booking_cancel, name="booking_cancel"),
    path("bookings/<int:pk>/confirm/", acts.booking_confirm, name="booking_confirm"),
    path("bookings/<int:pk>/change/", change.booking_change, name="booking_change"),
    path("bookings/<int:pk>/calendar.ics", cards.booking_calendar, name="booking_calendar"),
    path("consult/", consult.room, name="consult"),
    path("consult/open/", workstation.open_visit, name="workstation"),
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
    path("consult/basket/extra/", consult_basket.extra, name="consult_extra"),
    path("consult/basket/move/", consult_basket.move, name="consult_move"),
    path("consult/basket/cancel/", consult_basket.cancel, name="consult_cancel"),
    path("consult/slip/<uuid:basket>/", consult_basket.slip, name="consult_slip"),
    path("desk/", desk.home, name="desk"),
    path("desk/patients/<int:pk>/", desk.patient, name="desk_patient"),
    path("desk/patients/new/", window.register, name="desk_register"),
    path("desk/patients/<int:pk>/numbers/", window.numbers, name="desk_numbers"),
    path("desk/patients/<int:pk>/give/", window.give, name="desk_give"),
    path("desk/appointments/<int:pk>/check-in/", desk.check_in, name="desk_check_in"),
    path("desk/appointments/<int:pk>/undo-check-in/", desk.undo_check_in, name="desk_undo"),
    path("desk/appointments/<int:pk>/slip/", desk.slip, name="desk_slip"),
    path("desk/appointments/<int:pk>/cancel/", window.cancel, name="desk_cancel"),
    path("desk/appointments/<int:pk>/move/", window.move, name="desk_move"),
    path("desk/board/", boards.board, name="desk_board"),
    path("desk/schedules/<int:pk>/call-next/", boards.summon, name="desk_summon"),
    re_path(r"^desk/encounters/(?P<pk>\d+)/(?P<act>call|start|pass|finish|left)/$", boards.act, name="desk_act"),
    path("phone/", operators.home, name="booking_desk"),
    path("phone/seat/", operators.seat, name="booking_seat"),
    path("phone/new/", operators.register, name="booking_register"),
    path("phone/<str:text>/", calls.call, name="booking_call"),
    path("phone/<str:text>/identified/", calls.identify, name="booking_identify"),
    path("phone/<str:text>/book/", calls.book, name="booking_book"),
    path("phone/<str:text>/cancel/<int:pk>/", calls.cancel, name="booking_give_back"),
    path("office/", week.week, name="office_week"),
    path("office/schedules/<int:pk>/", week.schedule, name="office_schedule"),
    path("office/schedules/<int:pk>/patients/", week.patients, name="office_patients"),
    path("screen/department/<int:pk>/", boards.department_screen, name="screen_department"),
    path("screen/campus/<int:pk>/", boards.campus_screen, name="screen_campus"),
]
