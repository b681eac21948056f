"""What programs send and are given. Texts may be long; what a hospital must not miss has its own field."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from appointments.api.serializers import PatientBrief, TeamBrief
from appointments.models import Appointment
from hospital import masking
from hospital.api.filters import LARGEST
from hospital.api.places import DepartmentBrief
from hospital.integration.shapes import Choice, Day, DocumentIn, Strict, Text, Whole, YesNo
from hospital.models import Patient
from referrals.models import Attachment, CarePlan, Referral, ReferralEvent

ICD10 = r"^([A-Z][0-9]{2}([.][0-9A-Za-z+*]{1,6})?)?$"


def row(**more) -> Whole:
    return Whole(min_value=1, max_value=LARGEST, **more)


class PersonIn(Strict):
    """Real name and one document: the person of this document, or a new one."""

    name = Text(max_length=80)
    document = DocumentIn()
    sex = Choice(choices=Patient.Sex.choices, required=False)
    birth_date = Day(required=False, allow_null=True)
    phone = Text(max_length=20, allow_blank=True, required=False)


class Written(Strict):
    """What the writer says. May be left out of a draft; `send` names what is missing."""

    department = row(required=False, help_text="拟转科室, of the receiving hospital: it decides who receives.")
    doctor = row(required=False, allow_null=True, help_text="拟转医生: id from doctors/. Not with a team.")
    team = row(required=False, allow_null=True, help_text="拟转团队.")
    urgency = Choice(choices=Referral.Urgency.choices, required=False)
    office_books = YesNo(required=False, help_text="请转诊办代约: the hospital finds a number.")
    reason = Text(max_length=300, allow_blank=True, required=False)
    diagnosis_code = serializers.RegexField(
        ICD10, max_length=10, allow_blank=True, required=False, help_text="ICD-10.",
        error_messages={"invalid": _("不是 ICD-10 编码，例如 I10 或 E11.9。")},
    )  # fmt: skip
    diagnosis = Text(max_length=120, allow_blank=True, required=False)
    history = Text(max_length=4000, allow_blank=True, required=False)
    medication = Text(max_length=2000, allow_blank=True, required=False)
    allergies = Text(max_length=300, allow_blank=True, required=False)
    results = Text(max_length=4000, allow_blank=True, required=False)
    consent = Choice(
        choices=Referral.Consent.choices, required=False, help_text="Who agreed to be referred, with this dossier."
    )


class DraftIn(Written):
    """上转单. Either `patient` or `person`."""

    patient = row(
        required=False,
        help_text="Of a patient whom your institution signed, referred, treated, or booked at its desk before.",
    )
    person = PersonIn(required=False)
    department = row(help_text="拟转科室, of the receiving hospital: it decides who receives.")

    def validate(self, said):
        if ("patient" in said) == ("person" in said):
            raise serializers.ValidationError({"patient": [_("patient 和 person 要填其中一个。")]})
        return said


class ChangeIn(Written):
    """Only what is named changes."""


class SendIn(Strict):
    appointment = row(
        required=False, allow_null=True,
        help_text="A number that your institution holds or booked for the patient there: booked and taken along in "
        "the same step. Refused, the referral stays a draft.",
    )  # fmt: skip
    consenter = Text(
        max_length=60, allow_blank=True, default="",
        help_text="同意的监护人或家属, name and relation: required where `consent` is `guardian`; both sides read it.",
    )  # fmt: skip


class AnswerIn(Strict):
    text = Text(max_length=500, help_text="补充: what the hospital asked for.")


class WithdrawIn(Strict):
    reason = Text(max_length=200, allow_blank=True, default="", help_text="Of one that was sent: required.")


class InstitutionBrief(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class ActorBrief(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(source="practitioner.name")


class NumberBrief(serializers.Serializer):
    """The number it holds."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(Appointment.Status.choices)
    start = serializers.DateTimeField()


class ReferralOut(serializers.Serializer):
    """转诊单, a line of the list."""

    id = serializers.IntegerField()
    number = serializers.CharField(help_text="U… up 上转, D… down 下转: what people call it by.")
    direction = serializers.ChoiceField(Referral.Direction.choices)
    status = serializers.ChoiceField(Referral.Status.choices)
    urgency = serializers.ChoiceField(Referral.Urgency.choices)
    patient = PatientBrief()
    origin = InstitutionBrief()
    receiver = InstitutionBrief()
    department = DepartmentBrief(allow_null=True)
    doctor = ActorBrief(source="role", allow_null=True)
    team = TeamBrief(allow_null=True)
    appointment = NumberBrief(allow_null=True)
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="Until when whoever's turn it is must have answered; null: nobody's."
    )
    answered_at = serializers.DateTimeField(allow_null=True, help_text="When the receiver answered first.")
    ended_at = serializers.DateTimeField(allow_null=True)


class EventOut(serializers.Serializer):
    """One step of the trail, as both sides see it."""

    kind = serializers.ChoiceField(ReferralEvent.Kind.choices)
    status = serializers.ChoiceField(Referral.Status.choices, help_text="After it.")
    organization = serializers.CharField(
        source="organization.code", allow_null=True, default=None, help_text="On whose side; null: the system."
    )
    text = serializers.CharField(help_text="What was said to the other side.")
    at = serializers.DateTimeField()


class AttachmentOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(Attachment.Kind.choices)
    size = serializers.IntegerField(help_text="Bytes, as it is kept.")
    scan = serializers.ChoiceField(Attachment.Scan.choices)
    organization = serializers.CharField(source="organization.code", help_text="Who brought it.")
    added_at = serializers.DateTimeField()


class PlanOut(serializers.ModelSerializer):
    """下转计划: what the lower institution goes on with."""

    follow_up_at = serializers.CharField(source="follow_up_at.code", help_text="Where the patient is seen again.")

    class Meta:
        model = CarePlan
        fields = [
            "summary", "medication", "rehabilitation", "warning_signs", "discharged_on", "follow_up_on", "follow_up_at"
        ]  # fmt: skip


class PersonOut(serializers.Serializer):
    """Whom it is about: in full, since both sides treat this person; of documents the last four."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    sex = serializers.ChoiceField(Patient.Sex.choices)
    birth_date = serializers.DateField(allow_null=True)
    phone = serializers.CharField()
    documents = serializers.SerializerMethodField()

    def get_documents(self, patient) -> list[str]:
        return [masking.document(each.last4) for each in patient.identifiers.all()]


class DossierOut(ReferralOut):
    """转诊单 in full. Reading it leaves a trace."""

    patient = PersonOut()
    office_books = serializers.BooleanField()
    reason = serializers.CharField()
    diagnosis_code = serializers.CharField()
    diagnosis = serializers.CharField()
    history = serializers.CharField()
    medication = serializers.CharField()
    allergies = serializers.CharField()
    results = serializers.CharField()
    consent = serializers.CharField(help_text="Empty: nobody was asked yet.")
    answers_to = serializers.IntegerField(
        source="answers_to_id", allow_null=True, help_text="Of one down: the referral up that it sends back."
    )
    events = EventOut(many=True)
    attachments = AttachmentOut(source="files", many=True)
    plan = serializers.SerializerMethodField()

    @extend_schema_field(PlanOut(allow_null=True))
    def get_plan(self, referral):
        plan = getattr(referral, "plan", None)
        return plan and PlanOut(plan).data
