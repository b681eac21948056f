"""医联体: which lower institution works with which hospital, and who is signed with whose family doctor."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .history import keeps_history
from .people import Patient, Practitioner
from .places import DayRange, Organization


@keeps_history
class Agreement(models.Model):
    """协作协议: from when to when a lower institution books and refers at a hospital (P3–P5, R1).

    Where two institutions have an agreement, its dates hold: after the last day nothing is booked or referred any
    more; what was booked before stays. Without any row the tree of institutions and the pools decide, as before.
    """

    hospital = models.ForeignKey(Organization, models.PROTECT, related_name="agreements", verbose_name=_("上级医院"))
    member = models.ForeignKey(Organization, models.PROTECT, related_name="agreed_with", verbose_name=_("下级机构"))
    effective_from = models.DateField(_("生效日"))
    effective_to = models.DateField(_("失效日"), null=True, blank=True)  # last day included
    note = models.CharField(_("备注"), max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("协作协议")
        constraints = [
            models.CheckConstraint(condition=~Q(hospital=F("member")), name="agreement_of_two"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="agreement_dates_in_order",
            ),
            ExclusionConstraint(
                name="agreement_one_at_a_time",
                expressions=[
                    ("hospital", RangeOperators.EQUAL),
                    ("member", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self):
        return f"{self.hospital} {self.member}"


@keeps_history
class SignedResident(models.Model):
    """签约居民 (R1, R6): signed with a family doctor of a lower institution, with one at a time. Both days included."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="signed", verbose_name=_("就诊人"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="signed_residents", verbose_name=_("签约机构")
    )
    doctor = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, blank=True, related_name="signed_residents", verbose_name=_("家庭医生")
    )
    effective_from = models.DateField(_("签约日"))
    effective_to = models.DateField(_("到期日"))
    note = models.CharField(_("服务包"), max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("签约居民")
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_to__gte=F("effective_from")), name="signedresident_dates_in_order"
            ),
            ExclusionConstraint(
                name="signedresident_one_family_doctor",
                expressions=[
                    ("patient", RangeOperators.EQUAL),
                    (DayRange("effective_from", "effective_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["organization", "effective_to"], name="signedresident_of_whom")]

    def __str__(self):
        return f"{self.organization} {self.effective_from}–{self.effective_to}"
