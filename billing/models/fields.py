"""Yuan with two decimals everywhere; fen are whole numbers only in what a gateway reads (billing.gateways)."""

from django.db import models


def yuan(label, **more) -> models.DecimalField:
    return models.DecimalField(label, max_digits=10, decimal_places=2, **more)
