from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class HospitalConfig(AppConfig):
    name = "hospital"
    verbose_name = _("医院")
    default_auto_field = "django.db.models.BigAutoField"


class HospitalAdminConfig(AdminConfig):
    """Django's admin behind our own sign-in and roles."""

    default_site = "hospital.admin_site.HospitalAdminSite"
