from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExamsConfig(AppConfig):
    name = "exams"
    verbose_name = _("检查")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from hospital import patient_index

        from . import (
            handlers,  # noqa: F401  what this app does with facts
            invariants,  # noqa: F401  what must always be true of its data
            personal_data,  # noqa: F401  what it holds of a person
        )
        from .demo import hook  # noqa: F401  what it adds to the demo hospital
        from .models import ExamBooking
        from .selectors import trail_words  # noqa: F401  what the office's trail calls its acts
        from .views import (
            consult_neighbour,  # noqa: F401  what it puts on the consult room's page
            trail_pages,  # noqa: F401  and where it opens them
        )
        from .views.patient import home  # noqa: F401  what it puts on the patient's home page

        patient_index.keeps_time("exam", ExamBooking)
