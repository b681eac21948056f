from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralsConfig(AppConfig):
    name = "referrals"
    verbose_name = _("转诊")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import (
            handlers,  # noqa: F401  what this app does with facts
            invariants,  # noqa: F401  what must always be true of its data
            personal_data,  # noqa: F401  and what it holds of a person
        )
        from .demo import hook  # noqa: F401  what it adds to the demo hospital
        from .selectors import trail_words  # noqa: F401  what the office's trail calls its acts
        from .views import (
            admission_consult,  # noqa: F401  what it puts on the consult room's page
            admission_patient,  # noqa: F401  and on the patient's home page
            down_consult,  # noqa: F401
            down_patient,  # noqa: F401
        )
