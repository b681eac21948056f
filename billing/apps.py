from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("结算")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from hospital import prepaid

        from . import (
            handlers,  # noqa: F401  what this app does with facts
            invariants,  # noqa: F401  what must always be true of its data
            personal_data,  # noqa: F401  what it holds of a person
        )
        from .demo import hook  # noqa: F401  what it adds to the demo hospital
        from .gateways import links, merchants, platforms, ports
        from .selectors import (
            gate,
            trail_words,  # noqa: F401  what the office's trail calls its acts
        )
        from .views import (
            consult_till,  # noqa: F401  how the consult room's basket is paid
            ways,
        )

        ports.payments_from(merchants.of_house)
        ports.insurance_from(links.of_house)
        ports.receipts_from(platforms.of_house)
        prepaid.ask(gate.must_pay)
        prepaid.pays_at(ways.page)
