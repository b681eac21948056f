"""Addresses of the ground floor's endpoints: places, people, and the document."""

from django.urls import path

from hospital.integration import api as integration

from . import pages, people, places

urlpatterns = [
    path("schema/", pages.document, name="api_schema"),
    path("docs/", pages.docs, name="api_docs"),
    path("organizations/", places.Organizations.as_view(), name="api_organizations"),
    path("campuses/", places.Campuses.as_view(), name="api_campuses"),
    path("departments/", places.Departments.as_view(), name="api_departments"),
    path("departments/<int:pk>/", places.OneDepartment.as_view(), name="api_department"),
    path("doctors/", places.Doctors.as_view(), name="api_doctors"),
    path("doctors/<int:pk>/", places.OneDoctor.as_view(), name="api_doctor"),
    path("teams/", places.Teams.as_view(), name="api_teams"),
    path("teams/<int:pk>/", places.OneTeam.as_view(), name="api_team"),
    path("patients/", people.Patients.as_view(), name="api_patients"),
    path("integration/patients/<str:number>/", integration.IntegratedPatient.as_view(), name="api_their_patient"),
]
