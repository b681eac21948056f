"""Facts travel upward through the transactional outbox; people are told by messages.

A fact is written in the transaction of the change itself. The worker fans it out into one Delivery per
handler; a handler only ever gets the oldest undone fact of a key.
"""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField

from .people import Patient, User


class Fact(models.Model):
    """What happened. Append-only but for `fanned_out`. Holds ids, never personal data.

    `account` + `request_key` make a repeated request the same act; `body` is the digest of what was asked.
    """

    topic = models.CharField(max_length=60)
    key = models.CharField(max_length=60)  # order is kept per key, e.g. "appointment:17"
    payload = models.JSONField(default=dict)
    actor = models.ForeignKey(User, models.PROTECT, null=True, db_index=False, related_name="+")
    account = models.BigIntegerField(null=True)
    request_key = models.CharField(max_length=80, null=True)
    body = models.CharField(max_length=64, null=True)
    happened_at = models.DateTimeField()
    fanned_out = models.BooleanField(default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("事实")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "request_key"], condition=Q(request_key__isnull=False), name="fact_request_once"
            ),
        ]
        indexes = [
            models.Index(fields=["key", "id"], name="fact_key"),
            models.Index(fields=["id"], condition=Q(fanned_out=False), name="fact_to_fan_out"),
        ]
        triggers = [
            pgtrigger.Protect(name="fact_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="fact_is_never_changed", exclude=["fanned_out"]),
        ]

    def __str__(self):
        return f"{self.topic} {self.key}"


class Delivery(models.Model):
    """One fact for one handler. `done_at` is set in the handler's own transaction."""

    fact = models.ForeignKey(Fact, models.CASCADE, related_name="deliveries")
    handler = models.CharField(max_length=80)
    key = models.CharField(max_length=60)
    done_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)  # the exception's class, never its text

    class Meta:
        verbose_name = verbose_name_plural = _("投递")
        constraints = [models.UniqueConstraint(fields=["fact", "handler"], name="delivery_once")]
        indexes = [
            models.Index(fields=["handler", "key", "fact"], condition=Q(done_at__isnull=True), name="delivery_undone"),
            models.Index(fields=["fact"], condition=Q(done_at__isnull=True), name="delivery_in_order"),
        ]


class Message(models.Model):
    """消息 to a patient or a member of staff, by approved template and parameters. `dedupe` makes a repeat the same."""

    class Channel(models.TextChoices):
        INAPP = "inapp", _("站内")
        SMS = "sms", _("短信")

    class Status(models.TextChoices):
        WAITING = "waiting", _("待发送")
        SENT = "sent", _("已发送")
        FAILED = "failed", _("发送失败")
        DROPPED = "dropped", _("不再发送")  # e.g. a reminder whose visit was cancelled meanwhile

    patient = models.ForeignKey(Patient, models.CASCADE, null=True, related_name="messages")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="messages")
    channel = models.CharField(_("渠道"), max_length=10, choices=Channel)
    template = models.CharField(_("模板"), max_length=40)
    params = models.JSONField(_("参数"), default=dict)
    to = EncryptedTextField(blank=True, default="", db_default="")  # of whom is gone by then; emptied once settled
    link = EncryptedTextField(blank=True, default="", db_default="")  # opens without signing in; emptied once settled
    about = models.CharField(max_length=60, blank=True)  # the fact key it speaks of
    dedupe = models.CharField(max_length=120, unique=True)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.WAITING)
    created_at = models.DateTimeField(_("生成时间"))
    next_try_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(_("发送时间"), null=True)
    read_at = models.DateTimeField(_("阅读时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("消息")
        constraints = [
            models.CheckConstraint(
                condition=Q(patient__isnull=False) ^ Q(user__isnull=False), name="message_has_one_recipient"
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(status="waiting"), name="message_waiting"),
            models.Index(fields=["about"], name="message_about"),
        ]


class GatewayReceipt(models.Model):
    """What the development gateway took in: behaves like an SMS provider that drops a repeated request id."""

    request_id = models.CharField(max_length=120, unique=True)
    to = models.CharField(max_length=40)  # masked
    text = models.TextField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("开发收件箱")
