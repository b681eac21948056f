"""就诊人: whom the token's account books for."""

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from hospital import masking
from hospital.models import Patient, RelatedPerson

from .authentication import BOOK
from .endpoint import ListEndpoint


class PatientOut(serializers.Serializer):
    """One of the account's own people: the name in full, of documents the last four."""

    id = serializers.IntegerField(source="patient_id", help_text="What `patient` means in bookings.")
    name = serializers.CharField(source="patient.name")
    relation = serializers.ChoiceField(RelatedPerson.Relation.choices, help_text="To the account's owner.")
    sex = serializers.ChoiceField(Patient.Sex.choices, source="patient.sex")
    birth_date = serializers.DateField(source="patient.birth_date", allow_null=True)
    medical_number = serializers.CharField(source="patient.medical_number", help_text="门诊号, shown at the desk.")
    documents = serializers.SerializerMethodField(help_text="Masked: the last four.")

    def get_documents(self, person) -> list[str]:
        return [masking.document(each.last4) for each in person.patient.identifiers.all()]


@extend_schema_view(get=extend_schema(operation_id="listPatients", tags=["people"], summary="Patients 就诊人"))
class Patients(ListEndpoint):
    """The people whom the account books for, in the account's own order. Nobody else is ever listed. 409
    `consent_needed` until the account has agreed, on the pages, to the privacy notice in force."""

    scopes = BOOK
    asks_privacy = True
    serializer_class = PatientOut
    queryset = RelatedPerson.objects.none()
    order = ("place", "id")

    def get_queryset(self):
        rows = RelatedPerson.objects.filter(account=self.request.user.pk, ended_at=None, patient__active=True)
        return rows.select_related("patient").prefetch_related("patient__identifiers")
