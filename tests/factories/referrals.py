"""转诊: a community centre below the hospital, its family doctor, and referrals between the two."""

from datetime import timedelta

import factory

from hospital.models import Organization
from referrals.models import Referral

from .base import NOW, Factory
from .house import DepartmentFactory, OrganizationFactory, StaffFactory
from .people import PatientFactory


class CommunityFactory(Factory):
    """A lower institution of the hospital H1."""

    class Meta:
        model = Organization
        django_get_or_create = ("code",)

    code = "SQ1"
    name = "柳堤社区卫生服务中心"
    short_name = "柳堤社区"
    pinyin = "liudishequweishengfuwuzhongxin"
    initials = "ldsqwsfwzx"
    kind = "community"
    parent = factory.SubFactory(OrganizationFactory)


class ReferralFactory(Factory):
    """Sent up yesterday, waiting for the hospital's answer. `status="draft"` was not sent."""

    class Meta:
        model = Referral

    direction = "up"
    status = "sent"
    patient = factory.SubFactory(PatientFactory)
    origin = factory.SubFactory(CommunityFactory)
    receiver = factory.SubFactory(OrganizationFactory)
    by = factory.LazyAttribute(lambda row: StaffFactory(roles="partner", roles__at=row.origin))
    department = factory.SubFactory(DepartmentFactory)
    reason = "血压控制不佳，请专科调整用药"
    diagnosis_code = "I10"
    diagnosis = "高血压 3 级"
    history = "高血压 8 年，近两周晨起头痛。"
    consent = "patient"
    consented_at = NOW - timedelta(days=1)
    created_at = NOW - timedelta(days=1)
    sent_at = factory.LazyAttribute(lambda row: None if row.status == "draft" else NOW - timedelta(days=1))
    due_at = factory.LazyAttribute(lambda row: row.sent_at and NOW + timedelta(days=1))
