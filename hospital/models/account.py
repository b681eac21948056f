"""Accounts of patients: the phone that signs in, whose numbers they may book, what they agreed to, what they ask."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField

from .history import keeps_history
from .people import Patient, User


@keeps_history
class AccountRule(models.Model):
    """患者账号规则: what a hospital may set, dated. The row with the latest `effective_from` holds."""

    effective_from = models.DateField(_("生效日"), unique=True)
    family_limit = models.PositiveSmallIntegerField(_("一个账号最多几位就诊人"), default=5)  # B22
    guarded_until = models.PositiveSmallIntegerField(_("监护人同意到几岁"), default=14)  # 个人信息保护法第三十一条
    codes_pause_seconds = models.PositiveSmallIntegerField(_("两次验证码间隔（秒）"), default=60)
    codes_per_phone = models.PositiveSmallIntegerField(_("一个手机一天几条验证码"), default=10)
    codes_per_device = models.PositiveSmallIntegerField(_("一台设备一天几条验证码"), default=20)
    codes_per_address = models.PositiveSmallIntegerField(_("一个网络地址一小时几条验证码"), default=60)
    codes_per_hour = models.PositiveIntegerField(_("全院一小时几条验证码"), default=3000)  # what a flood may cost
    code_minutes = models.PositiveSmallIntegerField(_("验证码有效（分钟）"), default=5)
    code_tries = models.PositiveSmallIntegerField(_("验证码可错几次"), default=3)
    binding_tries = models.PositiveSmallIntegerField(_("一天可错几次证件"), default=5)
    additions = models.PositiveSmallIntegerField(
        _("30 天内最多添加几次就诊人"), default=10
    )  # B16: no collecting of names
    quiet_days = models.PositiveSmallIntegerField(_("多少天未登录要核对本人"), default=60)  # a phone may change hands
    session_days = models.PositiveSmallIntegerField(_("登录保持几天"), default=30)

    class Meta:
        verbose_name = verbose_name_plural = _("患者账号规则")
        constraints = [
            models.CheckConstraint(condition=Q(family_limit__range=(1, 20)), name="accountrule_family"),
            models.CheckConstraint(condition=Q(code_minutes__range=(1, 30)), name="accountrule_code_minutes"),
            models.CheckConstraint(condition=Q(codes_per_hour__gte=1), name="accountrule_codes_per_hour"),
            models.CheckConstraint(condition=Q(code_tries__range=(1, 10)), name="accountrule_code_tries"),
            models.CheckConstraint(condition=Q(session_days__range=(1, 365)), name="accountrule_session"),
        ]

    def __str__(self):
        return str(self.effective_from)


class AccountPhone(models.Model):
    """登录手机: one phone signs in to one account. When it changed hands the row goes, the old account stays."""

    user = models.OneToOneField(User, models.CASCADE, related_name="account_phone", verbose_name=_("账号"))
    phone = EncryptedTextField(_("手机"))
    phone_hash = models.CharField(max_length=64, unique=True, editable=False)
    verified_at = models.DateTimeField(_("验证时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("登录手机")
        triggers = [
            pgtrigger.Trigger(  # O5: an SMS code never opens a working account; see people.RoleAssignment
                name="no_working_account",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    PERFORM 1 FROM hospital_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
                    IF EXISTS (SELECT 1 FROM hospital_roleassignment WHERE user_id = NEW.user_id)
                    OR EXISTS (SELECT 1 FROM hospital_user WHERE id = NEW.user_id AND (is_superuser OR is_staff)) THEN
                        RAISE EXCEPTION 'a working account is never opened by phone' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]


class KnownDevice(models.Model):
    """A browser that signed in to the account before: its random mark is in a cookie, only the digest is here."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    digest = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="knowndevice_once")]


class CodeSent(models.Model):
    """One SMS code that was asked for: what the limits count. Never the code, never the phone. Kept for two days.

    Of the code there is a keyed digest, until it was used; tries and use are counted here, under a row lock, because
    two parallel guesses of one session would read the same count from the session.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "sign_in", _("登录")
        BIND = "bind", _("绑定就诊人")
        CONFIRM = "confirm", _("确认本人")
        CHANGE = "change", _("更换手机")

    purpose = models.CharField(max_length=10, choices=Purpose)
    phone_hash = models.CharField(max_length=64)
    device = models.CharField(max_length=64)  # digest of the browser's mark
    address = models.GenericIPAddressField(null=True)
    sent_at = models.DateTimeField()
    digest = models.CharField(max_length=64, blank=True)  # empty: never taken by a gateway, or used
    expires_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["phone_hash", "sent_at"], name="codesent_phone"),
            models.Index(fields=["device", "sent_at"], name="codesent_device"),
            models.Index(fields=["address", "sent_at"], name="codesent_address"),
            models.Index(fields=["sent_at"], name="codesent_age"),
        ]


@keeps_history
class RelatedPerson(models.Model):
    """家属与本人: an account may book for this patient (B22). Ended, never deleted: who saw what stays known.

    `place` 1…AccountRule.family_limit makes "at most so many" something that PostgreSQL refuses.
    """

    class Relation(models.TextChoices):
        SELF = "self", _("本人")
        SPOUSE = "spouse", _("配偶")
        PARENT = "parent", _("父母")
        CHILD = "child", _("子女")
        OTHER = "other", _("其他亲属")

    class Proof(models.TextChoices):
        """How we know that this account may."""

        REGISTERED = "registered", _("本账号建档")
        PHONE = "phone", _("建档手机验证码")
        DESK = "desk", _("窗口核验证件")

    account = models.ForeignKey(User, models.PROTECT, related_name="family", verbose_name=_("账号"))
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="looked_after_by", verbose_name=_("就诊人"))
    relation = models.CharField(_("关系"), max_length=10, choices=Relation)
    guardian = models.BooleanField(_("监护人"), default=False)
    proof = models.CharField(_("依据"), max_length=10, choices=Proof)
    place = models.PositiveSmallIntegerField(default=1)
    since = models.DateTimeField(_("绑定时间"))
    ended_at = models.DateTimeField(_("解除时间"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("家属")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "patient"], condition=Q(ended_at=None), name="relatedperson_once_per_account"
            ),
            models.UniqueConstraint(
                fields=["account", "place"], condition=Q(ended_at=None), name="relatedperson_one_place"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(ended_at=None, relation="self"), name="relatedperson_one_self"
            ),
            models.CheckConstraint(condition=Q(place__range=(1, 20)), name="relatedperson_places"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("since")), name="relatedperson_in_order"
            ),
        ]

    def __str__(self):
        return self.get_relation_display()


class Notice(models.Model):
    """告知书, versioned. What was published is never changed: a new version is a new row."""

    class Kind(models.TextChoices):
        PRIVACY = "privacy", _("个人信息保护告知")
        HEALTH = "health", _("健康信息处理的单独同意")
        CHILD = "child", _("儿童个人信息处理规则")

    kind = models.CharField(_("种类"), max_length=10, choices=Kind)
    version = models.PositiveSmallIntegerField(_("版本"))
    title = models.CharField(_("标题"), max_length=80)
    title_en = models.CharField(max_length=120)
    text = models.TextField(_("正文"))  # paragraphs, a blank line between two
    text_en = models.TextField()
    published_on = models.DateField(_("公布日"))

    class Meta:
        verbose_name = verbose_name_plural = _("告知书")
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="notice_one_version")]
        triggers = [pgtrigger.Protect(name="published", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self):
        return f"{self.title} v{self.version}"


class Consent(models.Model):
    """同意 to one version of a notice, for the account (privacy) or for one person (health data, children) (O4)."""

    account = models.ForeignKey(User, models.PROTECT, related_name="consents", verbose_name=_("账号"))
    notice = models.ForeignKey(Notice, models.PROTECT, related_name="consents", verbose_name=_("告知书"))
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="consents", verbose_name=_("就诊人"))
    given_at = models.DateTimeField(_("同意时间"))
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True)
    address = models.GenericIPAddressField(_("来源地址"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("同意")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "notice", "patient"],
                condition=Q(withdrawn_at=None),
                nulls_distinct=False,
                name="consent_once",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("given_at")), name="consent_in_order"
            ),
        ]

    def __str__(self):
        return f"{self.notice_id} {self.given_at:%F}"


class DataRequest(models.Model):
    """个人信息请求: access, correction, erasure (O4). Answered by a person, kept as proof that it was."""

    class Kind(models.TextChoices):
        EXPORT = "export", _("查阅与复制")
        CORRECTION = "correction", _("更正")
        ERASURE = "erasure", _("删除与注销")

    class Status(models.TextChoices):
        ASKED = "asked", _("待处理")
        DONE = "done", _("已完成")
        REFUSED = "refused", _("未通过")

    account = models.ForeignKey(User, models.PROTECT, related_name="data_requests", verbose_name=_("账号"))
    patient = models.ForeignKey(Patient, models.PROTECT, null=True, related_name="+", verbose_name=_("就诊人"))
    kind = models.CharField(_("种类"), max_length=10, choices=Kind)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.ASKED)
    text = models.CharField(_("说明"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("提出时间"))
    decided_at = models.DateTimeField(_("处理时间"), null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("处理人"))
    answer = models.CharField(_("答复"), max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("个人信息请求")
        constraints = [
            models.CheckConstraint(
                condition=Q(status="asked", decided_at=None) | (~Q(status="asked") & Q(decided_at__isnull=False)),
                name="datarequest_decided_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(answer=""), name="datarequest_refusal_has_an_answer"
            ),
            models.UniqueConstraint(
                fields=["account", "kind", "patient"],
                condition=Q(status="asked"),
                nulls_distinct=False,
                name="datarequest_one_open",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.asked_at:%F}"


@keeps_history
class RetentionRule(models.Model):
    """保存期限: how long a kind of record stays after its last use, and why."""

    class Subject(models.TextChoices):
        VISITS = "visits", _("预约与就诊记录")
        TRAIL = "trail", _("操作留痕")
        MESSAGES = "messages", _("消息")
        CODES = "codes", _("验证码发送记录")
        ACCOUNT = "account", _("登录手机与家属关系")

    subject = models.CharField(_("对象"), max_length=10, choices=Subject, unique=True)
    days = models.PositiveIntegerField(_("保存天数"))  # 0: erased with the account
    source = models.CharField(_("依据"), max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = _("保存期限")
        constraints = [
            models.CheckConstraint(  # 医疗机构病历管理规定（2013年版）第二十九条: 15 years
                condition=~Q(subject="visits") | Q(days__gte=15 * 365 + 4), name="retentionrule_visits_by_law"
            ),
            models.CheckConstraint(  # 网络安全法: logs six months
                condition=~Q(subject="trail") | Q(days__gte=184), name="retentionrule_trail_by_law"
            ),
            models.CheckConstraint(  # limits look back a day
                condition=~Q(subject="codes") | Q(days__gte=1), name="retentionrule_codes"
            ),
        ]

    def __str__(self):
        return self.get_subject_display()
