"""Patients as clients send and see them."""

from typing import Any

from rest_framework import serializers

from accounts.models import Facility
from patients.models import Patient
from patients.states import BloodGroup, Sex


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """A patient. ``age`` is in whole years on the facility's date of today."""

    age = serializers.SerializerMethodField()

    class Meta:
        model = Patient
        fields = (
            "id",
            "number",
            "facility",
            "name",
            "sex",
            "birth_date",
            "birth_year",
            "age",
            "phone",
            "blood_group",
            "address",
            "is_active",
            "merged_into",
            "version",
            "created_at",
        )
        read_only_fields = fields

    def get_age(self, patient: Patient) -> int | None:
        """By the date of birth, else by the year."""
        return patient.age(patient.facility.local_date())


class DuplicateSerializer(serializers.ModelSerializer[Patient]):
    """Enough of a patient to see whether it is the same person."""

    class Meta:
        model = Patient
        fields = ("id", "number", "name", "sex", "birth_date", "birth_year", "phone")
        read_only_fields = fields


class RegisteredSerializer(PatientSerializer):
    """A new patient, and who it may have been all along."""

    possible_duplicates = DuplicateSerializer(many=True, read_only=True)

    class Meta:
        model = Patient
        fields = (*PatientSerializer.Meta.fields, "possible_duplicates")
        read_only_fields = fields


class ParticularsSerializer(serializers.Serializer[Any]):
    """What a client may say of a patient: form only, the rules are the actions'."""

    name = serializers.CharField(max_length=150)
    sex = serializers.ChoiceField(choices=Sex.choices, required=False)
    birth_date = serializers.DateField(required=False, allow_null=True)
    birth_year = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=9999)
    age = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=150)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    blood_group = serializers.ChoiceField(choices=BloodGroup.choices, required=False, allow_blank=True)
    address = serializers.CharField(max_length=500, required=False, allow_blank=True)


class RegisterSerializer(ParticularsSerializer):
    """A new patient. The facility may be left out by who registers patients in one only."""

    facility = serializers.PrimaryKeyRelatedField(
        queryset=Facility.objects.filter(is_active=True), required=False, allow_null=True
    )


class ChangePatientSerializer(ParticularsSerializer):
    """What is to change; the rest stays."""

    name = serializers.CharField(max_length=150, required=False)
    is_active = serializers.BooleanField(required=False)
