"""机构, 院区, 科室, 医生, 专家团队: the master data, as it is in force today."""

from django.db.models import OuterRef, Q, Subquery
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from hospital import clock
from hospital.models import Campus, CareTeam, Department, HealthcareService, Organization, PractitionerRole, PriceItem

from .authentication import READ
from .endpoint import DetailEndpoint, ListEndpoint
from .filters import RowNumber

SEARCH = "By Chinese name, pinyin or its initials: 心内, xinnei, xn."


class OrganizationOut(serializers.ModelSerializer):
    class Meta:
        model = Organization
        fields = ["id", "code", "name", "short_name", "kind", "phone"]


class CampusOut(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="organization_id", help_text="Organization's id.")
    transit = serializers.CharField(help_text="How to get there by bus and metro.")

    class Meta:
        model = Campus
        fields = ["id", "organization", "code", "name", "address", "transit"]


class DepartmentBrief(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class DepartmentOut(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="organization_id", help_text="Organization's id.")
    campus = serializers.IntegerField(source="campus_id", allow_null=True, help_text="Campus's id.")
    specialty = serializers.CharField(help_text="Code in the national list of specialties (诊疗科目), e.g. 03.04.")
    group = serializers.CharField(help_text="Group of departments, e.g. 内科系统.")
    location = serializers.CharField(help_text="Where in the house.")

    class Meta:
        model = Department
        fields = ["id", "organization", "campus", "code", "name", "specialty", "group", "location"]


class ServiceOut(serializers.ModelSerializer):
    """号别."""

    level = serializers.ChoiceField(HealthcareService.Level.choices, help_text="级别: decides the fee.")

    class Meta:
        model = HealthcareService
        fields = ["id", "name", "kind", "level"]


class Fee(serializers.DecimalField):
    """Yuan, as a string with two decimals."""

    def __init__(self, **kwargs):
        super().__init__(max_digits=10, decimal_places=2, read_only=True, **kwargs)


class DoctorOut(serializers.Serializer):
    """出诊身份: a doctor in one department at one level. One person may have several."""

    id = serializers.IntegerField(help_text="What `doctor` means in filters and schedules.")
    practitioner = serializers.IntegerField(source="practitioner_id", help_text="The person.")
    name = serializers.CharField(source="practitioner.name")
    title = serializers.CharField(source="practitioner.title")
    specialty = serializers.CharField(source="practitioner.specialty_text", help_text="擅长.")
    department = DepartmentBrief()
    service = ServiceOut()
    fee = Fee(allow_null=True, help_text="挂号费 today, yuan.")


class TeamOut(serializers.Serializer):
    """专家团队: the team is booked, one of its members sees the patient first."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    introduction = serializers.CharField()
    department = DepartmentBrief()
    service = ServiceOut()
    fee = Fee(allow_null=True, help_text="挂号费 today, yuan.")


def named_like(rows, text: str, *, path: str = ""):
    """The start of the initials or the pinyin, or any part of the Chinese name."""
    plain = text.lower().replace(" ", "")
    starts = Q(**{f"{path}initials__startswith": plain}) | Q(**{f"{path}pinyin__startswith": plain})
    return rows.filter(starts | Q(**{f"{path}name__contains": text.strip()})) if plain else rows


def price_on(day, *, service: str = "service") -> Subquery:
    """What the service costs on a day (a date, or an F of one); nothing where the price list has a gap."""
    prices = PriceItem.objects.filter(
        Q(effective_to=None) | Q(effective_to__gte=day),
        organization=OuterRef(f"{service}__organization"),
        code=OuterRef(f"{service}__price_code"),
        effective_from__lte=day,
    )
    return Subquery(prices.values("amount")[:1])


class Search(filters.FilterSet):
    q = filters.CharFilter(method="by_name", max_length=40, label=SEARCH)
    path = ""

    def by_name(self, rows, _name, text):
        return named_like(rows, text, path=self.path)


class CampusFilter(filters.FilterSet):
    organization = RowNumber(label="Organization's id.")


class DepartmentFilter(Search):
    organization = RowNumber(label="Organization's id.")
    campus = RowNumber(label="Campus's id.")


class DoctorFilter(Search):
    path = "practitioner__"
    department = RowNumber(label="Department's id.")
    campus = RowNumber(field_name="department__campus", label="Campus's id.")
    level = filters.ChoiceFilter(field_name="service__level", choices=HealthcareService.Level.choices, label="级别.")


class TeamFilter(Search):
    department = RowNumber(label="Department's id.")
    campus = RowNumber(field_name="department__campus", label="Campus's id.")


@extend_schema_view(get=extend_schema(operation_id="listOrganizations", tags=["places"], summary="Organizations 机构"))
class Organizations(ListEndpoint):
    """The hospitals and community centres whose numbers are here."""

    scopes = READ
    serializer_class = OrganizationOut
    queryset = Organization.objects.filter(active=True)


@extend_schema_view(get=extend_schema(operation_id="listCampuses", tags=["places"], summary="Campuses 院区"))
class Campuses(ListEndpoint):
    """Where the hospitals' houses are."""

    scopes = READ
    serializer_class = CampusOut
    filterset_class = CampusFilter
    queryset = Campus.objects.filter(active=True, organization__active=True)


class DepartmentRows:
    scopes = READ
    serializer_class = DepartmentOut
    queryset = Department.objects.filter(active=True, organization__active=True)


@extend_schema_view(get=extend_schema(operation_id="listDepartments", tags=["places"], summary="Departments 科室"))
class Departments(DepartmentRows, ListEndpoint):
    """Departments with a clinic, in the hospital's own order. `q` finds by Chinese name, pinyin or initials."""

    filterset_class = DepartmentFilter
    order = ("order", "id")


@extend_schema_view(get=extend_schema(operation_id="getDepartment", tags=["places"], summary="One department"))
class OneDepartment(DepartmentRows, DetailEndpoint):
    """One department."""


class DoctorRows:
    scopes = READ
    serializer_class = DoctorOut
    queryset = PractitionerRole.objects.filter(
        active=True, practitioner__active=True, department__active=True, service__active=True
    ).select_related("practitioner", "department", "service")

    def get_queryset(self):
        return super().get_queryset().annotate(fee=price_on(clock.today(clock.now())))


@extend_schema_view(get=extend_schema(operation_id="listDoctors", tags=["places"], summary="Doctors 医生"))
class Doctors(DoctorRows, ListEndpoint):
    """Doctors who see patients, one row for each department and level; by pinyin."""

    filterset_class = DoctorFilter
    order = ("practitioner__pinyin", "id")


@extend_schema_view(get=extend_schema(operation_id="getDoctor", tags=["places"], summary="One doctor"))
class OneDoctor(DoctorRows, DetailEndpoint):
    """One doctor in one department."""


class TeamRows:
    scopes = READ
    serializer_class = TeamOut
    queryset = CareTeam.objects.filter(active=True, department__active=True).select_related("department", "service")

    def get_queryset(self):
        return super().get_queryset().annotate(fee=price_on(clock.today(clock.now())))


@extend_schema_view(get=extend_schema(operation_id="listTeams", tags=["places"], summary="Expert teams 专家团队"))
class Teams(TeamRows, ListEndpoint):
    """Expert teams; by pinyin."""

    filterset_class = TeamFilter
    order = ("pinyin", "id")


@extend_schema_view(get=extend_schema(operation_id="getTeam", tags=["places"], summary="One expert team"))
class OneTeam(TeamRows, DetailEndpoint):
    """One expert team."""
