from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class HospitalConfig(AppConfig):
    name = "hospital"
    verbose_name = "医院"
    default_auto_field = "django.db.models.BigAutoField"


class HospitalAdminConfig(AdminConfig):
    """Django's admin behind our own sign-in and roles."""

    default_site = "hospital.admin_site.HospitalAdminSite"
