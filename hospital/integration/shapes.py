"""Shapes of what other systems send: JSON types as they are, nothing guessed, nothing unknown."""

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from hospital.models import Patient, PatientIdentifier


class Strict(serializers.Serializer):
    """A field that the document does not name is an error: a typing mistake must not be lost in silence."""

    def to_internal_value(self, data):
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError({str(name)[:60]: [_("没有这个字段。")] for name in unknown[:20]})
        return super().to_internal_value(data)


class StrictInDocument(OpenApiSerializerExtension):
    """additionalProperties: false."""

    target_class = Strict
    match_subclasses = True

    def map_serializer(self, auto_schema, direction):
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**schema, "additionalProperties": False} if direction == "request" else schema


class Text(serializers.CharField):
    """A JSON string: numbers and booleans are not read as text."""

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesNo(serializers.BooleanField):
    def to_internal_value(self, data):
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(serializers.ChoiceField):
    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """ISO 8601 with its offset: a time without one means another moment in another zone."""

    default_error_messages = {"offset": _("必须带时区，例如 2026-12-21T08:30:00+08:00。")}

    def to_internal_value(self, value):
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            self.fail("invalid", format="2026-12-21T08:30:00+08:00")
        if moment.tzinfo is None:
            self.fail("offset")
        if not 2000 <= moment.year <= 2200:
            self.fail("invalid", format="2026-12-21T08:30:00+08:00")
        return moment


class Day(serializers.DateField):
    def to_internal_value(self, value):
        if not isinstance(value, str) or len(value) != 10:
            self.fail("invalid", format="2026-12-21")
        return super().to_internal_value(value)


class DocumentIn(Strict):
    kind = Choice(choices=PatientIdentifier.Kind.choices)
    number = Text(max_length=64)


class PatientIn(Strict):
    """A patient as the other system has it. What is left out stays as it is here."""

    name = Text(max_length=80)
    documents = serializers.ListField(child=DocumentIn(), max_length=10, default=list)
    sex = Choice(choices=Patient.Sex.choices, required=False, allow_null=True)
    birth_date = Day(required=False, allow_null=True)
    phone = Text(max_length=20, allow_blank=True, required=False, help_text="Empty: there is none.")
    insurance = Choice(choices=Patient.Insurance.choices, required=False)
    allergies = serializers.ListField(
        child=Text(max_length=60), max_length=50, required=False, help_text="The whole list; empty: none known."
    )
    problems = serializers.ListField(child=Text(max_length=60), max_length=50, required=False)
    changed_at = Moment(help_text="When it changed in their system. An older one never overwrites a newer one.")


class PatientResult(serializers.Serializer):
    number = serializers.CharField(help_text="Theirs.")
    patient = serializers.IntegerField(help_text="Ours: what `patient` means in bookings.")
    medical_number = serializers.CharField(help_text="门诊号 here.")
    result = serializers.ChoiceField(
        ["created", "updated", "unchanged", "ignored"], help_text="ignored: older than what is known."
    )
