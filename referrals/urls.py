"""Addresses of the referrals: partner workplace, referral office, consult-room panels, files, admission, patients."""

from django.urls import include, path

from .addresses import admission, down, figures, files, office, partner

app_name = "referrals"
urlpatterns = [
    path("api/v1/", include("referrals.api.urls")),
    *files.urlpatterns,
    *partner.urlpatterns,
    *admission.urlpatterns,
    *down.urlpatterns,
    *office.urlpatterns,
    *figures.urlpatterns,
]
