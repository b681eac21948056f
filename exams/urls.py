"""Addresses of the exams: consult-room panels, patient pages, the booking centre, the device rooms, the office."""

app_name = "exams"
urlpatterns = []
