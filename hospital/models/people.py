"""Who works here and who is cared for."""

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from hospital.fields import EncryptedTextField

from .history import keeps_history
from .places import Department, HealthcareService, Named, Organization


class User(AbstractUser):
    """账号. Staff sign in by user name and password; what they may do comes from RoleAssignment."""

    full_name = models.CharField(_("姓名"), max_length=40, blank=True)

    class Meta(AbstractUser.Meta):
        verbose_name = verbose_name_plural = _("账号")

    def __str__(self):
        return self.full_name or self.username


class Role(models.TextChoices):
    """岗位 (capability O10)."""

    DOCTOR = "doctor", _("医生")
    TRIAGE = "triage", _("分诊护士")
    WARD = "ward", _("病区医生")
    OFFICE = "office", _("号源管理")
    PHONE = "phone", _("电话预约员")
    COUNTER = "counter", _("窗口")
    CASHIER = "cashier", _("收费员")
    EXAM = "exam", _("检查预约中心")
    REFERRAL = "referral", _("转诊办")
    PARTNER = "partner", _("下级机构")
    KIOSK = "kiosk", _("自助机")
    FINANCE = "finance", _("财务")
    AUDITOR = "auditor", _("审计")
    SYSADMIN = "sysadmin", _("系统管理员")
    SECADMIN = "secadmin", _("安全管理员")


@keeps_history
class RoleAssignment(models.Model):
    """一个账号在一个机构（或一个科室）的岗位."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_assignments", verbose_name=_("账号"))
    role = models.CharField(_("岗位"), max_length=10, choices=Role)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name=_("机构"))
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("科室")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("岗位")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "organization", "department"], nulls_distinct=False, name="role_assigned_once"
            )
        ]
        triggers = [
            pgtrigger.Trigger(  # O5: staff never sign in by SMS code; who is ill has a second account, as a patient
                name="no_patient_account",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    PERFORM 1 FROM hospital_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
                    IF EXISTS (SELECT 1 FROM hospital_accountphone WHERE user_id = NEW.user_id) THEN
                        RAISE EXCEPTION 'an account that signs in by phone holds no role'
                        USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self):
        return f"{self.user} {self.get_role_display()}"


@keeps_history
class RolePolicy(models.Model):
    """岗位安全设置: second factor and idle log-out, per role. Minutes."""

    role = models.CharField(_("岗位"), max_length=10, choices=Role, unique=True)
    second_factor = models.BooleanField(_("需要第二因子"), default=False)
    idle_minutes = models.PositiveSmallIntegerField(_("空闲退出（分钟）"), default=30)

    class Meta:
        verbose_name = verbose_name_plural = _("岗位安全设置")
        constraints = [models.CheckConstraint(condition=Q(idle_minutes__gte=1), name="rolepolicy_idle_positive")]

    def __str__(self):
        return self.get_role_display()


@keeps_history
class Practitioner(Named):
    """医生（人）."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="practitioners", verbose_name=_("机构"))
    code = models.CharField(_("工号"), max_length=20)
    sex = models.CharField(_("性别"), max_length=1, choices=[("M", _("男")), ("F", _("女"))], blank=True)
    title = models.CharField(_("职称"), max_length=20)
    specialty_text = models.CharField(_("擅长"), max_length=300, blank=True)
    user = models.OneToOneField(
        User, models.SET_NULL, null=True, blank=True, related_name="practitioner", verbose_name=_("账号")
    )
    active = models.BooleanField(_("在岗"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("医生")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="practitioner_one_code")]


@keeps_history
class PractitionerRole(models.Model):
    """出诊身份: a doctor in a department at a level (which decides the fee)."""

    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="roles", verbose_name=_("医生"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="roles", verbose_name=_("科室"))
    service = models.ForeignKey(HealthcareService, models.PROTECT, related_name="roles", verbose_name=_("号别"))
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("出诊身份")
        constraints = [
            models.UniqueConstraint(fields=["practitioner", "department", "service"], name="practitionerrole_once")
        ]

    def __str__(self):
        return f"{self.practitioner} {self.department}"


@keeps_history
class CareTeam(Named):
    """专家团队: the team is booked; a member sees the patient first; the leader only by a member's referral (B11)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="teams", verbose_name=_("机构"))
    code = models.CharField(_("代码"), max_length=20)
    department = models.ForeignKey(Department, models.PROTECT, related_name="teams", verbose_name=_("科室"))
    service = models.ForeignKey(HealthcareService, models.PROTECT, related_name="teams", verbose_name=_("号别"))
    introduction = models.CharField(_("简介"), max_length=300, blank=True)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("专家团队")
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="careteam_one_code")]


@keeps_history
class CareTeamMember(models.Model):
    """团队成员; exactly one leader (领衔专家) a team at most."""

    team = models.ForeignKey(CareTeam, models.CASCADE, related_name="members", verbose_name=_("团队"))
    role = models.ForeignKey(PractitionerRole, models.PROTECT, related_name="teams", verbose_name=_("出诊身份"))
    leader = models.BooleanField(_("领衔专家"), default=False)
    active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("团队成员")
        constraints = [
            models.UniqueConstraint(fields=["team", "role"], name="careteammember_once"),
            models.UniqueConstraint(fields=["team"], condition=Q(leader=True, active=True), name="careteam_one_leader"),
        ]


@keeps_history
class Patient(Named):
    """就诊人: one real person. One index for all institutions; phone and documents are encrypted."""

    class Sex(models.TextChoices):
        MALE = "M", _("男")
        FEMALE = "F", _("女")
        UNKNOWN = "U", _("未知")

    class Insurance(models.TextChoices):
        EMPLOYEE = "employee", _("职工医保")
        RESIDENT = "resident", _("居民医保")
        NONE = "none", _("自费")

    class Special(models.TextChoices):
        """优待: with old age (60 and over, by law of the rights of the elderly) what the special-group floor is for."""

        NONE = "", _("无")
        DISABLED = "disabled", _("残疾人")
        SOLDIER = "soldier", _("军人及优抚对象")
        OTHER = "other", _("其他优待对象")

    medical_number = models.CharField(_("门诊号"), max_length=20, unique=True)
    sex = models.CharField(_("性别"), max_length=1, choices=Sex, default=Sex.UNKNOWN)
    birth_date = models.DateField(_("出生日期"), null=True, blank=True)
    phone = EncryptedTextField(_("手机"), blank=True)
    phone_hash = models.CharField(max_length=64, blank=True, editable=False)
    insurance = models.CharField(_("医保"), max_length=10, choices=Insurance, default=Insurance.NONE)
    language = models.CharField(  # of messages to the person
        _("语言"),
        max_length=10,
        choices=settings.LANGUAGES,
        default=settings.LANGUAGE_CODE,
        db_default=settings.LANGUAGE_CODE,
    )
    special = models.CharField(  # a document for it was seen at the window
        _("优待"), max_length=10, choices=Special, default=Special.NONE, blank=True, db_default=""
    )
    registered_at = models.DateTimeField(_("建档时间"), auto_now_add=True)
    active = models.BooleanField(_("启用"), default=True)

    class Meta(Named.Meta):
        verbose_name = verbose_name_plural = _("就诊人")
        indexes = [
            models.Index(fields=["phone_hash"], name="patient_phone", condition=~Q(phone_hash="")),
            models.Index(fields=["name"], name="patient_name", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["pinyin"], name="patient_pinyin", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["initials"], name="patient_initials", opclasses=["varchar_pattern_ops"]),
        ]


@keeps_history
class PatientIdentifier(models.Model):
    """证件. `checked` says that the number's own check digit holds; only check-in sees the document itself."""

    class Kind(models.TextChoices):
        ID_CARD = "id_card", _("居民身份证")
        RESIDENCE_PERMIT = "residence_permit", _("港澳台居民居住证")
        FOREIGN_PERMANENT = "foreign_permanent", _("外国人永久居留身份证")
        PASSPORT = "passport", _("护照")
        HOUSEHOLD = "household", _("户口簿")
        TRAVEL_PERMIT = "travel_permit", _("来往内地（大陆）通行证")
        SOCIAL_CARD = "social_card", _("社会保障卡")
        HEALTH_CARD = "health_card", _("电子健康卡")

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="identifiers", verbose_name=_("就诊人"))
    kind = models.CharField(_("证件类型"), max_length=20, choices=Kind)
    number = EncryptedTextField(_("证件号码"))
    number_hash = models.CharField(max_length=64, editable=False)
    last4 = models.CharField(_("后四位"), max_length=4)
    checked = models.BooleanField(_("校验位已核"), default=False)
    seen_at = models.DateTimeField(_("现场核验时间"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("证件")
        constraints = [
            models.UniqueConstraint(fields=["kind", "number_hash"], name="patientidentifier_one_person"),
        ]
        indexes = [models.Index(fields=["number_hash"], name="patientidentifier_hash")]


class Condition(models.Model):
    """过敏与问题: what the consult room must see at the top of the page."""

    class Kind(models.TextChoices):
        ALLERGY = "allergy", _("过敏")
        PROBLEM = "problem", _("诊断")

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="conditions", verbose_name=_("就诊人"))
    kind = models.CharField(_("类型"), max_length=10, choices=Kind)
    text = models.CharField(_("内容"), max_length=60)
    noted_on = models.DateField(_("记录日"), null=True, blank=True)
    system = models.CharField(_("来源"), max_length=40, blank=True, default="", db_default="")  # "": noted here

    class Meta:
        verbose_name = verbose_name_plural = _("过敏与问题")
        constraints = [models.UniqueConstraint(fields=["patient", "kind", "text", "system"], name="condition_once")]
