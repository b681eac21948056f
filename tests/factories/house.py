"""The hospital: its staff, places, services, teams; its price list, rules and pools."""

from datetime import date
from decimal import Decimal

import factory

from appointments.models import BookingRule, ChannelRule
from hospital.models import (
    Campus,
    CareTeam,
    CareTeamMember,
    Department,
    HealthcareService,
    Organization,
    Practitioner,
    PractitionerRole,
    PriceItem,
    RoleAssignment,
    Room,
    User,
)

from .base import Factory

CHANNEL_POOLS = {
    "consult": ["consult", "public"],
    "ward": ["consult", "public"],
    "web": ["public"],
    "app": ["public"],
    "phone": ["public", "special"],
    "kiosk": ["public", "special"],
    "counter": ["counter", "special", "public"],
    "partner": ["partner", "public"],
}


class UserFactory(Factory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    full_name = factory.Sequence(lambda n: f"员工{n}")
    password = factory.django.Password("correct horse battery")


class OrganizationFactory(Factory):
    """One hospital with its price list, rules and pools, unless told otherwise."""

    class Meta:
        model = Organization
        django_get_or_create = ("code",)
        skip_postgeneration_save = True

    code = "H1"
    name = "江州市中心医院"
    pinyin = "jiangzhoushizhongxinyiyuan"
    initials = "jzszxyy"

    @factory.post_generation
    def ground(organization, create, _extracted, **_kwargs):  # noqa: N805
        if create and not ChannelRule.objects.filter(organization=organization).exists():
            start = date(2020, 1, 1)
            PriceItem.objects.create(
                organization=organization, code="G", name="普通挂号费", amount=Decimal("20.00"), effective_from=start
            )
            BookingRule.objects.create(organization=organization, effective_from=start)
            for channel, kinds in CHANNEL_POOLS.items():
                ChannelRule.objects.create(
                    organization=organization, channel=channel, kinds=kinds, effective_from=start
                )


class CampusFactory(Factory):
    class Meta:
        model = Campus
        django_get_or_create = ("organization", "code")

    organization = factory.SubFactory(OrganizationFactory)
    code = "C1"
    name = "本部院区"


class DepartmentFactory(Factory):
    class Meta:
        model = Department

    organization = factory.SubFactory(OrganizationFactory)
    campus = factory.SubFactory(CampusFactory)
    code = factory.Sequence(lambda n: f"D{n}")
    name = factory.Sequence(lambda n: f"心血管内科{n}")
    pinyin = "xinxueguanneike"
    initials = "xxgnk"


class RoomFactory(Factory):
    class Meta:
        model = Room

    campus = factory.SubFactory(CampusFactory)
    code = factory.Sequence(lambda n: f"R{n}")
    name = factory.Sequence(lambda n: f"{n}诊室")
    floor = "3层"


class ServiceFactory(Factory):
    class Meta:
        model = HealthcareService
        django_get_or_create = ("organization", "code")

    organization = factory.SubFactory(OrganizationFactory)
    code = "general"
    name = "普通号"
    level = "general"
    price_code = "G"


class PractitionerFactory(Factory):
    class Meta:
        model = Practitioner

    organization = factory.SubFactory(OrganizationFactory)
    code = factory.Sequence(lambda n: f"P{n}")
    name = factory.Sequence(lambda n: f"王医生{n}")
    pinyin = "wangyisheng"
    initials = "wys"
    title = "主治医师"


class RoleFactory(Factory):
    """出诊身份."""

    class Meta:
        model = PractitionerRole

    practitioner = factory.SubFactory(PractitionerFactory)
    department = factory.SubFactory(DepartmentFactory)
    service = factory.SubFactory(ServiceFactory)


class TeamFactory(Factory):
    class Meta:
        model = CareTeam

    organization = factory.SubFactory(OrganizationFactory)
    code = factory.Sequence(lambda n: f"T{n}")
    name = "冠心病团队"
    department = factory.SubFactory(DepartmentFactory)
    service = factory.SubFactory(ServiceFactory, code="team", name="专家团队号", level="team", kind="team")


class TeamMemberFactory(Factory):
    class Meta:
        model = CareTeamMember

    team = factory.SubFactory(TeamFactory)
    role = factory.SubFactory(RoleFactory)


class StaffFactory(UserFactory):
    """A user with roles: StaffFactory(roles="office") or StaffFactory(roles=["doctor", "ward"]); at H1,
    or StaffFactory(roles="partner", roles__at=institution)."""

    @factory.post_generation
    def roles(user, create, extracted, at=None, **_kwargs):  # noqa: N805
        if create and extracted:
            for role in [extracted] if isinstance(extracted, str) else extracted:
                RoleAssignment.objects.create(user=user, role=role, organization=at or OrganizationFactory())
