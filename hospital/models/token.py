"""Keys of programs. The channel belongs to the key, so that no body can claim another."""

import hashlib
import secrets

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .people import User
from .places import Organization

PARTNER = "partner"
"""The channel of lower institutions: its pools depend on which of them asks."""


class ApiToken(models.Model):
    """接口令牌. Only its hash is kept; the token itself is shown once."""

    class Scope(models.TextChoices):
        READ = "read", _("查询科室、医生和号源")
        BOOK = "book", _("为本账号的就诊人预约")
        BOOK_ANYONE = "book_anyone", _("为任何就诊人预约")
        INTEGRATE = "integrate", _("与院内系统互通")
        REFER = "refer", _("转诊：起草、发出、补充和查看")

    name = models.CharField(_("用途"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens", verbose_name=_("账号"))
    channel = models.CharField(_("渠道"), max_length=10)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), verbose_name=_("权限"))
    organization = models.ForeignKey(  # of an integration: whose records it writes; of a partner: who it is
        Organization, models.PROTECT, null=True, blank=True, related_name="api_tokens", verbose_name=_("机构")
    )
    system = models.CharField(_("对方系统"), max_length=40, blank=True)  # whose numbers an integration speaks of
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(_("到期"))
    revoked_at = models.DateTimeField(_("吊销"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("接口令牌")
        constraints = [
            models.CheckConstraint(
                condition=~Q(scopes__contains=["integrate"]) | (Q(organization__isnull=False) & ~Q(system="")),
                name="apitoken_integration_is_of_a_system",
            ),
            models.CheckConstraint(
                condition=~Q(channel=PARTNER) | Q(organization__isnull=False) | Q(revoked_at__isnull=False),
                name="apitoken_partner_is_an_institution",
            ),
            models.CheckConstraint(  # who refers speaks for one institution
                condition=~Q(scopes__contains=["refer"]) | Q(organization__isnull=False),
                name="apitoken_refer_is_an_institution",
            ),
            ExclusionConstraint(  # a name means one system of one house: its numbers are looked up by it
                name="apitoken_system_of_one_house",
                expressions=[("system", RangeOperators.EQUAL), ("organization", RangeOperators.NOT_EQUAL)],
                condition=~Q(system=""),
            ),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def issue(cls, **fields) -> tuple["ApiToken", str]:
        """A new token and its secret, which can't be read again."""
        token = cls(**fields)
        secret = token.new_secret()
        token.save(force_insert=True)
        return token, secret

    def new_secret(self) -> str:
        """256 random bits; here stays only their digest."""
        secret = secrets.token_urlsafe(32)
        self.digest = digest(secret)
        return secret


def digest(secret: str) -> str:
    """A random 256-bit secret needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
