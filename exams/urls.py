"""Addresses of the exams: consult-room panels, patient pages, the booking centre, the device rooms, the office."""

from .addresses import catalogue, centre, consult, devices, figures, patient, reports

app_name = "exams"
urlpatterns = [
    *consult.urlpatterns,
    *patient.urlpatterns,
    *centre.urlpatterns,
    *reports.urlpatterns,
    *devices.urlpatterns,
    *catalogue.urlpatterns,
    *figures.urlpatterns,
]
