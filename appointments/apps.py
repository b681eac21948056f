from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppointmentsConfig(AppConfig):
    name = "appointments"
    verbose_name = _("预约")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from hospital import patient_index

        from . import handlers, personal_data  # noqa: F401  what this app does with facts, and what it holds of a person
        from .models import Appointment

        patient_index.keeps_time("appointment", Appointment)
