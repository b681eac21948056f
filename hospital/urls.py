"""The roof's address table."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from .views import health, home, messages

urlpatterns = [
    path("", home.landing, name="home"),
    path("healthz/live", health.live, name="healthz-live"),
    path("healthz/ready", health.ready, name="healthz-ready"),
    path("messages/", messages.mine, name="messages"),
    path("messages/read", messages.read, name="messages-read"),
    path("inbox/", messages.inbox, name="inbox"),
    path("accounts/", include("hospital.views.account_urls")),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("", include("appointments.urls")),
]

handler403 = "hospital.views.errors.forbidden"
handler404 = "hospital.views.errors.not_found"
handler500 = "hospital.views.errors.server_error"
