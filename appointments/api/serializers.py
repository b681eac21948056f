"""What the ordinary endpoints of numbers and bookings give."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from appointments.models import Appointment, Schedule
from appointments.models.rules import Channel
from appointments.policies.booking import cancel_deadline
from appointments.policies.scarcity import State
from appointments.selectors import rules
from hospital import clock, masking
from hospital.api.places import DepartmentBrief, Fee, ServiceOut
from hospital.models.time import HALF_WORDS


class RoomBrief(serializers.Serializer):
    name = serializers.CharField()
    floor = serializers.CharField()


class CampusBrief(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class DoctorBrief(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(source="practitioner.name")
    title = serializers.CharField(source="practitioner.title")


class TeamBrief(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class ScheduleBrief(serializers.Serializer):
    """出诊单元: one half-day of a doctor, a team, or a plain clinic (neither)."""

    id = serializers.IntegerField()
    day = serializers.DateField()
    half = serializers.ChoiceField(
        list(HALF_WORDS.items()), source="half_by_hours", help_text="By its hours; `all`: both halves of the day."
    )
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(Schedule.Status.choices)
    campus = CampusBrief()
    department = DepartmentBrief()
    room = RoomBrief()
    service = ServiceOut()
    doctor = DoctorBrief(source="role", allow_null=True)
    team = TeamBrief(allow_null=True)


class ScheduleOut(ScheduleBrief):
    """`left` and `state` are what this token's channel finds at this moment."""

    fee = Fee(allow_null=True, help_text="挂号费 on that day, yuan.")
    state = serializers.SerializerMethodField(help_text="As in availability.")
    left = serializers.SerializerMethodField(help_text="Numbers that could be taken now.")
    opens_at = serializers.SerializerMethodField(help_text="When more free numbers open to this channel.")

    def _offer(self, schedule):
        return self.context["offers"][schedule.pk]

    @extend_schema_field(serializers.ChoiceField([state.value for state in State if state is not State.NONE]))
    def get_state(self, schedule) -> str:
        return self._offer(schedule).state.value

    def get_left(self, schedule) -> int:
        return self._offer(schedule).left

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_opens_at(self, schedule):
        moment = self._offer(schedule).opens_at
        return moment and moment.astimezone(clock.ZONE).isoformat()


class PatientBrief(serializers.Serializer):
    """Masked: whose it is says `id`, to who knows the account's people."""

    id = serializers.IntegerField()
    name = serializers.SerializerMethodField(help_text="周*明")

    def get_name(self, patient) -> str:
        return masking.name(patient.name)


class AppointmentOut(serializers.Serializer):
    """预约. A `pending` one is only held: at `hold_until` its number goes back."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(Appointment.Status.choices)
    patient = PatientBrief()
    schedule = ScheduleBrief()
    day = serializers.DateField()
    number = serializers.IntegerField(source="slot.number")
    start = serializers.DateTimeField()
    minutes = serializers.IntegerField(source="slot.minutes")
    fee = Fee(help_text="挂号费, yuan, as it was at booking.")
    channel = serializers.ChoiceField(Channel.choices, help_text="Through which it was booked.")
    created_at = serializers.DateTimeField()
    hold_until = serializers.SerializerMethodField(help_text="Of a pending one; once it has passed, the hold is over.")
    cancel_until = serializers.SerializerMethodField(help_text="By when it may be cancelled or moved on line.")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_hold_until(self, row):
        held = row.status == Appointment.Status.PENDING and row.slot.hold_until
        return held.astimezone(clock.ZONE).isoformat() if held else None

    @extend_schema_field(serializers.DateTimeField())
    def get_cancel_until(self, row):
        rule = rules.booking_rule_for(row.schedule, day=clock.today(self.context["now"]))
        return cancel_deadline(row.day, rule).isoformat()
