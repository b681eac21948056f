"""Addresses of the referrals."""

app_name = "referrals"
urlpatterns = []
