"""The doors of allauth that staff need, and no others: no sign-up, no mail, no reset by link."""

from allauth.account import views
from django.urls import include, path

from . import account

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", account.password_help, name="account_reset_password"),
    path("2fa/", include("allauth.mfa.urls")),
]
