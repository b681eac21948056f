"""转诊规则: the receiving hospital's own numbers, dated."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models.rules import Dated
from hospital.models.history import keeps_history


@keeps_history
class ReferralRule(Dated):
    """转诊规则 of the receiver. Minutes run around the clock for green and urgent; a routine one's run on workdays."""

    routine_hours = models.PositiveSmallIntegerField(_("常规：几小时内答复"), default=48)
    urgent_minutes = models.PositiveSmallIntegerField(_("加急：几分钟内答复"), default=120)
    green_minutes = models.PositiveSmallIntegerField(_("绿色通道：几分钟内确认"), default=10)
    green_escalate_minutes = models.PositiveSmallIntegerField(_("绿色通道：几分钟未确认升级"), default=5)
    answer_hours = models.PositiveSmallIntegerField(_("补充资料：几小时未补催办"), default=48)
    follow_up_days = models.PositiveSmallIntegerField(_("出院后几天内随访"), default=7)  # V4
    attachment_mb = models.PositiveSmallIntegerField(_("单个附件上限（MB）"), default=10)
    attachments = models.PositiveSmallIntegerField(_("附件个数上限"), default=10)

    class Meta(Dated.Meta):
        verbose_name = verbose_name_plural = _("转诊规则")
        constraints = [
            *Dated.Meta.constraints,
            models.CheckConstraint(condition=Q(routine_hours__range=(1, 240)), name="referralrule_routine"),
            models.CheckConstraint(condition=Q(urgent_minutes__range=(5, 1440)), name="referralrule_urgent"),
            models.CheckConstraint(
                condition=Q(green_minutes__range=(1, 60), green_escalate_minutes__range=(1, 60)),
                name="referralrule_green",
            ),
            models.CheckConstraint(condition=Q(follow_up_days__range=(1, 30)), name="referralrule_follow_up"),
            models.CheckConstraint(
                condition=Q(attachment_mb__range=(1, 20), attachments__range=(0, 30)), name="referralrule_attachments"
            ),
        ]
