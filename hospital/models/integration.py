"""Beside another system (O1): whose record is ours, what it is told, and who came by a signed link."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField

from .history import keeps_history
from .outbox import Fact
from .people import Patient
from .places import Organization


class ExternalRecord(models.Model):
    """外部系统编号: a record of theirs is this record of ours. `digest` of the last body: a repeat changes nothing.

    A visit's own row is in a higher layer: `subject` names it ("appointment:17"), no foreign key.
    """

    class Kind(models.TextChoices):
        PATIENT = "patient", _("就诊人")
        VISIT = "visit", _("就诊")

    system = models.CharField(_("系统"), max_length=40)
    kind = models.CharField(_("种类"), max_length=10, choices=Kind)
    number = models.CharField(_("编号"), max_length=64)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="external_records", verbose_name=_("就诊人"))
    subject = models.CharField(_("对象"), max_length=60, blank=True)
    digest = models.CharField(max_length=64)
    phone_told = models.CharField(max_length=64, blank=True, default="", db_default="")  # keyed hash, as last told
    changed_at = models.DateTimeField(_("更新时间"))  # theirs: an older state never overwrites a newer one
    received_at = models.DateTimeField(_("接收时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("外部系统编号")
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "number"], name="externalrecord_once"),
            models.UniqueConstraint(  # two visits of theirs are never one booking of ours
                fields=["system", "subject"], condition=~Q(subject=""), name="externalrecord_one_visit_per_subject"
            ),
        ]
        indexes = [models.Index(fields=["subject"], condition=~Q(subject=""), name="externalrecord_subject")]

    def __str__(self):
        return f"{self.system} {self.number}"


@keeps_history
class IntegrationKey(models.Model):
    """对接密钥: with it the other system signs context links. Two may hold at once while it is being changed.

    Apart from the API token, so that the program that writes records and the workstations that open links can be
    given different secrets, and one can be changed without the other.
    """

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="integration_keys", verbose_name=_("机构")
    )
    system = models.CharField(_("对方系统"), max_length=40)
    secret = EncryptedTextField(_("密钥"))
    active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("建立时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("对接密钥")
        constraints = [
            models.CheckConstraint(condition=~Q(system=""), name="integrationkey_has_a_system"),
            ExclusionConstraint(  # a name means one system of one house: its numbers are looked up by it
                name="integrationkey_system_of_one_house",
                expressions=[("system", RangeOperators.EQUAL), ("organization", RangeOperators.NOT_EQUAL)],
            ),
        ]

    def __str__(self):
        return self.system


@keeps_history
class Webhook(models.Model):
    """事件推送: where registrations and changes of state go. Signed with HMAC-SHA256 by `secret`."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="webhooks", verbose_name=_("机构"))
    name = models.CharField(_("名称"), max_length=60)
    url = models.URLField(_("地址"), max_length=300)
    secret = EncryptedTextField(_("密钥"))
    topics = ArrayField(models.CharField(max_length=60), verbose_name=_("事件"))
    active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("建立时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("事件推送")

    def __str__(self):
        return self.name


class WebhookDelivery(models.Model):
    """One fact for one webhook. Facts of one key go out in their order; a retry is never overtaken."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("待推送")
        SENT = "sent", _("已推送")
        FAILED = "failed", _("推送失败")

    webhook = models.ForeignKey(Webhook, models.PROTECT, related_name="deliveries", verbose_name=_("推送"))
    fact = models.ForeignKey(Fact, models.PROTECT, related_name="webhook_deliveries", verbose_name=_("事实"))
    key = models.CharField(max_length=60)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(_("次数"), default=0)
    next_try_at = models.DateTimeField(_("下次"))
    answered = models.PositiveSmallIntegerField(_("对方答复"), null=True)  # HTTP status
    sent_at = models.DateTimeField(_("推送时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("推送记录")
        constraints = [models.UniqueConstraint(fields=["webhook", "fact"], name="webhookdelivery_once")]
        indexes = [
            models.Index(fields=["webhook", "key", "fact"], condition=Q(status="waiting"), name="webhook_in_order"),
            models.Index(
                fields=["webhook", "next_try_at", "fact"], condition=Q(status="waiting"), name="webhook_waiting"
            ),
        ]


class UsedLink(models.Model):
    """A context link that was opened: it opens nothing a second time. Kept until it would have run out anyway."""

    nonce = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="usedlink_age")]
