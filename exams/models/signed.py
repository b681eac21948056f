"""Medical data that somebody answers for: it counts once it is approved, and until its successor is."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.models import Organization, User


class Signed(models.Model):
    """A row with its source and who approved it. *In force*: approved and not retired.

    A change is a new row that `replaces` the old one: the old stays in force until the new one is approved.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    source = models.CharField(_("依据"), max_length=200)
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("批准人")
    )
    approved_at = models.DateTimeField(_("批准时间"), null=True, blank=True)
    retired_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="successors", verbose_name=_("修订自")
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True, approved_at__isnull=True)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="%(class)s_approved_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="%(class)s_has_a_source"),
        ]

    @property
    def in_force(self) -> bool:
        return self.approved_at is not None and self.retired_at is None
