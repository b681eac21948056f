"""执业合约: where a doctor of another house may sit, and until when (P12)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .history import keeps_history
from .people import Practitioner
from .places import DayRange, Organization


@keeps_history
class Contract(models.Model):
    """A doctor's days at an institution. At the doctor's own house no row means without limit; elsewhere none means no.

    The rule comes from multi-site practice (多点执业) filings, which name the institution and the dates.
    """

    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="contracts", verbose_name=_("医生"))
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="contracts", verbose_name=_("机构"))
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included
    note = models.CharField(_("备注"), max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("执业合约")
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="contract_dates_in_order",
            ),
            ExclusionConstraint(
                name="contract_one_at_a_time",
                expressions=[
                    ("practitioner", RangeOperators.EQUAL),
                    ("organization", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.practitioner} {self.organization}"
