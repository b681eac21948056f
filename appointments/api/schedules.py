"""出诊单元 as lists. What is left of each comes from the same statement as the hot endpoints."""

from django.db.models import Exists, OuterRef, Q
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view

from appointments.models import Allotment, Schedule, Slot
from appointments.selectors import numbers, offers, rules
from appointments.selectors.rules import ChannelPools
from hospital import clock
from hospital.api.authentication import READ
from hospital.api.endpoint import DetailEndpoint, ListEndpoint
from hospital.api.filters import RowNumber, TrueOrFalse
from hospital.api.places import price_on
from hospital.models import CareTeamMember, HalfDay, HealthcareService, Organization

from .serializers import ScheduleOut


class ScheduleFilter(filters.FilterSet):
    organization = RowNumber(label="Organization's id.")
    campus = RowNumber(label="Campus's id.")
    department = RowNumber(label="Department's id.")
    doctor = RowNumber(field_name="role", label="Doctor's id.")
    team = RowNumber(label="Team's id.")
    day_from = filters.DateFilter(field_name="day", lookup_expr="gte", label="First day.")
    day_to = filters.DateFilter(field_name="day", lookup_expr="lte", label="Last day, included.")
    half = filters.ChoiceFilter(choices=HalfDay.choices, label="Half-day.")
    level = filters.ChoiceFilter(field_name="service__level", choices=HealthcareService.Level.choices, label="级别.")
    free = TrueOrFalse(method="with_numbers", label="true: only those with a number for this channel now.")

    def with_numbers(self, rows, _name, wanted):
        if not wanted:
            return rows
        caller = self.request.auth
        return with_numbers(rows, channel=caller.channel, partner_id=caller.partner_id, now=clock.now())


def with_numbers(rows, *, channel: str, now, partner_id: int | None = None):
    """The condition of selectors.offers for a list that is leafed through; a test holds them equal."""
    today = clock.today(now)
    each = [
        rules.pools_for(channel, organization_id=pk, day=today, partner_id=partner_id)
        for pk in Organization.objects.filter(active=True).values_list("pk", flat=True)
    ]
    ids = tuple(pk for pools in each for pk in pools.ids)
    public = next((pools.public for pools in each if pools.public), None)
    usable = numbers.open_to(ChannelPools(ids=ids, public=public, team=None), now=now)
    takeable = Slot.objects.filter(numbers.takeable(now=now), schedule=OuterRef("pk"))
    opened = Q(pool__in=ids, opens_at__lte=now) | (Q(shared_from__lte=now) if public else Q())
    anything = Allotment.objects.filter(opened, schedule=OuterRef("pk"))  # far ahead nothing is: no number is looked at
    leads = CareTeamMember.objects.filter(leader=True, active=True, team__active=True)
    return rows.filter(
        Exists(anything),
        Exists(takeable.filter(usable)),
        Q(role=None) | Q(role__active=True, role__practitioner__active=True),
        status=Schedule.Status.OPEN,
        service__active=True,
        gate_team=None,
        fee__isnull=False,
    ).exclude(role__practitioner__in=leads.values("role__practitioner"))


class ScheduleRows:
    scopes = READ
    serializer_class = ScheduleOut
    queryset = Schedule.objects.select_related(
        "campus", "department", "room", "service", "role__practitioner", "team"
    ).annotate(fee=price_on(OuterRef("day")))

    def offered(self, rows) -> dict:
        return offers.of_schedules(
            [row.pk for row in rows],
            organizations={row.organization_id for row in rows},
            channel=self.request.auth.channel,
            partner_id=self.request.auth.partner_id,
            now=clock.now(),
        )


@extend_schema_view(get=extend_schema(operation_id="listSchedules", tags=["numbers"], summary="Schedules 出诊单元"))
class Schedules(ScheduleRows, ListEndpoint):
    """Half-days from today on that are not over, by day and hour, with what is left for this token's channel."""

    filterset_class = ScheduleFilter
    order = ("day", "starts_at", "id")

    def get_queryset(self):
        """Said so that PostgreSQL guesses right how many there are: two bounds side by side look like a twentieth."""
        now = clock.now()
        today = clock.today(now)
        return super().get_queryset().filter(day__gte=today).exclude(day=today, ends_at__lte=now)

    def paginate_queryset(self, queryset):
        page = super().paginate_queryset(queryset)
        self.page_offers = self.offered(page)
        return page

    def get_serializer_context(self):
        return super().get_serializer_context() | {"offers": getattr(self, "page_offers", {})}


@extend_schema_view(get=extend_schema(operation_id="getSchedule", tags=["numbers"], summary="One schedule"))
class OneSchedule(ScheduleRows, DetailEndpoint):
    """One half-day, a past one too."""

    def get_object(self):
        row = super().get_object()
        self.row_offers = self.offered([row])
        return row

    def get_serializer_context(self):
        return super().get_serializer_context() | {"offers": getattr(self, "row_offers", {})}
