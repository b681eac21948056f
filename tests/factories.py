"""Small rows with guessable defaults. NOW is one constant: a Monday, 10:00 at the hospital."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import factory

from appointments.models import (
    Allotment,
    Appointment,
    BookingRule,
    ChannelRule,
    Encounter,
    Pool,
    Schedule,
    ScheduleParticipant,
    ScheduleTemplate,
    Slot,
)
from hospital import clock
from hospital.fields import keyed_hash
from hospital.models import (
    AccountPhone,
    Campus,
    CareTeam,
    CareTeamMember,
    Consent,
    Contract,
    Department,
    HealthcareService,
    Notice,
    Organization,
    Patient,
    PatientIdentifier,
    Practitioner,
    PractitionerRole,
    PriceItem,
    RelatedPerson,
    RoleAssignment,
    Room,
    User,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 at the hospital
TODAY = clock.today(NOW)

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


class Factory(factory.django.DjangoModelFactory):
    class Meta:
        abstract = True


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
    """A user with roles: StaffFactory(roles="office") or StaffFactory(roles=["doctor", "ward"])."""

    @factory.post_generation
    def roles(user, create, extracted, **_kwargs):  # noqa: N805
        if create and extracted:
            for role in [extracted] if isinstance(extracted, str) else extracted:
                RoleAssignment.objects.create(user=user, role=role, organization=OrganizationFactory())


class PatientFactory(Factory):
    class Meta:
        model = Patient
        skip_postgeneration_save = True

    medical_number = factory.Sequence(lambda n: f"M{n:08d}")
    name = factory.Sequence(lambda n: f"李秀英{n}")
    pinyin = "lixiuying"
    initials = "lxy"
    sex = "F"
    birth_date = date(1959, 3, 1)
    phone = "13800136210"
    phone_hash = factory.LazyAttribute(lambda patient: keyed_hash("phone", patient.phone) if patient.phone else "")

    @factory.post_generation
    def account(patient, create, user, **_kwargs):  # noqa: N805
        """`account=user`: that account looks after this patient."""
        if create and user:
            RelatedPersonFactory(account=user, patient=patient)


class AccountFactory(UserFactory):
    """A patient's account: signs in by phone, has no roles and no password."""

    username = factory.Sequence(lambda n: f"p{n:08d}")
    full_name = ""
    password = "!"

    @factory.post_generation
    def phone(user, create, number, **_kwargs):  # noqa: N805
        if create:
            number = number or f"138{user.pk:08d}"
            AccountPhone.objects.create(
                user=user, phone=number, phone_hash=keyed_hash("phone", number), verified_at=NOW
            )


class RelatedPersonFactory(Factory):
    class Meta:
        model = RelatedPerson

    account = factory.SubFactory(AccountFactory)
    patient = factory.SubFactory(PatientFactory)
    relation = factory.LazyAttribute(lambda row: "other" if row.account.family.exists() else "self")
    proof = "desk"
    place = factory.LazyAttribute(lambda row: 1 + row.account.family.filter(ended_at=None).count())
    since = NOW


class NoticeFactory(Factory):
    """告知书 in force since long; a test that asks for consents publishes its own."""

    class Meta:
        model = Notice

    kind = "privacy"
    version = factory.LazyAttribute(lambda notice: 1 + Notice.objects.filter(kind=notice.kind).count())
    title = factory.LazyAttribute(lambda notice: f"{notice.kind}告知")
    title_en = factory.LazyAttribute(lambda notice: f"Notice on {notice.kind}")
    text = "第一段。\n\n# 标题\n第二段。"
    text_en = "First paragraph.\n\n# Heading\nSecond paragraph."
    published_on = date(2026, 1, 1)


class ConsentFactory(Factory):
    class Meta:
        model = Consent

    account = factory.SubFactory(AccountFactory)
    notice = factory.SubFactory(NoticeFactory)
    patient = None
    given_at = NOW


class IdentifierFactory(Factory):
    class Meta:
        model = PatientIdentifier

    patient = factory.SubFactory(PatientFactory)
    kind = "id_card"
    number = "11010519491231002X"
    number_hash = factory.LazyAttribute(lambda row: keyed_hash(row.kind, row.number))
    last4 = factory.LazyAttribute(lambda row: row.number[-4:])
    checked = True


class PoolFactory(Factory):
    class Meta:
        model = Pool
        django_get_or_create = ("organization", "kind", "partner")

    organization = factory.SubFactory(OrganizationFactory)
    kind = "public"
    partner = None
    name = factory.LazyAttribute(lambda pool: str(Pool.Kind(pool.kind).label))


class TemplateFactory(Factory):
    class Meta:
        model = ScheduleTemplate

    organization = factory.SubFactory(OrganizationFactory)
    role = factory.SubFactory(RoleFactory)
    department = factory.LazyAttribute(lambda template: template.role.department)
    service = factory.LazyAttribute(lambda template: template.role.service)
    room = factory.SubFactory(RoomFactory)
    weekday = 1
    half = "am"
    numbers = 16
    effective_from = date(2026, 1, 1)
    published_at = NOW - timedelta(days=30)


class ScheduleFactory(Factory):
    """A morning 08:00–12:00 four weeks ahead, its doctor and room taken, without numbers: see open_schedule()."""

    class Meta:
        model = Schedule

    organization = factory.SubFactory(OrganizationFactory)
    campus = factory.SubFactory(CampusFactory)
    role = factory.SubFactory(RoleFactory)
    department = factory.LazyAttribute(lambda schedule: schedule.role.department)
    service = factory.LazyAttribute(lambda schedule: schedule.role.service)
    room = factory.SubFactory(RoomFactory)
    day = TODAY + timedelta(days=28)
    half = "am"
    starts_at = factory.LazyAttribute(lambda schedule: clock.at(schedule.day, time(8)))
    ends_at = factory.LazyAttribute(lambda schedule: clock.at(schedule.day, time(12)))
    capacity = 10

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        schedule = super()._create(model_class, *args, **kwargs)
        during = (schedule.starts_at, schedule.ends_at)
        practitioner = schedule.role.practitioner if schedule.role_id else None
        if practitioner and practitioner.organization_id != schedule.organization_id:  # P12: not without a contract
            house = {"practitioner": practitioner, "organization": schedule.organization}
            Contract.objects.get_or_create(**house, defaults={"effective_from": date(2020, 1, 1)})
        ScheduleParticipant.objects.create(
            schedule=schedule, practitioner=practitioner, room=schedule.room, during=during
        )
        return schedule


def add_numbers(schedule, *, count, pool="public", opened=None, shared=None, minutes=None):
    """Give a schedule `count` more numbers of a pool, and the pool's allotment."""
    pool = PoolFactory(organization=schedule.organization, kind=pool) if isinstance(pool, str) else pool
    first = schedule.slots.count()
    if pool.kind != Pool.Kind.EXTRA and schedule.capacity < first + count:
        schedule.capacity = first + count  # numbers above it are add-ons
        schedule.save(update_fields=["capacity"])
    minutes = minutes or max(1, int((schedule.ends_at - schedule.starts_at).total_seconds() // 60 // max(count, 1)))
    Slot.objects.bulk_create(
        Slot(
            schedule=schedule,
            number=first + n + 1,
            start=schedule.starts_at + timedelta(minutes=minutes * (first + n)),
            minutes=minutes,
            pool=pool,
        )
        for n in range(count)
    )
    Allotment.objects.get_or_create(
        schedule=schedule,
        pool=pool,
        defaults={
            "department": schedule.department,
            "day": schedule.day,
            "opens_at": opened or NOW - timedelta(days=1),
            "shared_from": shared,
        },
    )
    return pool


def open_schedule(*, numbers=10, pool="public", opened=None, shared=None, minutes=None, **schedule):
    """A schedule with numbers, ready to be booked."""
    row = ScheduleFactory(capacity=numbers, **schedule)
    add_numbers(row, count=numbers, pool=pool, opened=opened, shared=shared, minutes=minutes)
    return row


def appointment_row(schedule, patient, *, number=1, status="booked", channel="web", **fields):
    """A row as if booked earlier, written directly: for tests of what follows a booking, not of booking."""
    slot = schedule.slots.get(number=number)
    slot.status = "held" if status == "pending" else "booked"
    slot.hold_until = NOW + timedelta(minutes=3) if status == "pending" else None
    slot.save()
    defaults = {
        "department": schedule.department,
        "day": schedule.day,
        "start": slot.start,
        "self_service": channel in {"web", "app", "phone", "kiosk"},
        "fee": Decimal("20.00"),
        "created_at": NOW - timedelta(days=2),
        "confirmed_at": None if status == "pending" else NOW - timedelta(days=2),
        "basket": uuid4(),
    }
    return Appointment.objects.create(
        slot=slot, schedule=schedule, patient=patient, status=status, channel=channel, **{**defaults, **fields}
    )


class EncounterFactory(Factory):
    class Meta:
        model = Encounter

    appointment = None
    schedule = factory.SelfAttribute("appointment.schedule")
    department = factory.SelfAttribute("appointment.department")
    patient = factory.SelfAttribute("appointment.patient")
    checked_in_at = NOW - timedelta(minutes=20)
