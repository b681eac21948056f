"""Addresses of the referrals: partner workplace, referral office, consult-room panels, files, admission, patients."""

from .addresses import admission, files

app_name = "referrals"
urlpatterns = [
    *files.urlpatterns,
    *admission.urlpatterns,
]
