"""What the desk's calls take and answer."""

from typing import Any

from rest_framework import serializers

from billing.api.fields import ShownMoneyField
from billing.states import BillStatus
from patients.api.serializers import PatientSerializer
from tokens.api.shapes import TokenSerializer


class MergeSerializer(serializers.Serializer[Any]):
    """The record that goes on alone."""

    into = serializers.IntegerField(min_value=1)


class MergedSerializer(PatientSerializer):
    """The record that is closed, and what the desk should know of the money of both."""

    notes = serializers.ListField(child=serializers.CharField(), help_text="A sentence each; none without bills.")

    class Meta(PatientSerializer.Meta):
        fields = (*PatientSerializer.Meta.fields, "notes")  # type: ignore[assignment]


class VisitTokenSerializer(TokenSerializer):
    """A token of a visit, with the names that a list of visits shows."""

    doctor = serializers.CharField()
    department = serializers.CharField()
    room = serializers.CharField()
    starts_at = serializers.DateTimeField(help_text="The start of its slot.")
    bill = serializers.IntegerField(allow_null=True, help_text="The consultation bill in force.")


class VisitBillSerializer(serializers.Serializer[Any]):
    """A bill of a visit, or of one of its tokens."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    status = serializers.ChoiceField(BillStatus.choices)
    about = serializers.CharField()
    token = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    total = ShownMoneyField()
    paid = ShownMoneyField()
    due = ShownMoneyField(help_text="Below zero: to be given back.")


class VisitSerializer(serializers.Serializer[Any]):
    """A day on which a patient held tokens; a visit where the patient came and the facility bills."""

    id = serializers.IntegerField(allow_null=True, help_text="Of the visit; null where none was opened.")
    date = serializers.DateField(help_text="The facility's local date.")
    opened_at = serializers.DateTimeField(allow_null=True)
    tokens = VisitTokenSerializer(many=True)
    bills = VisitBillSerializer(many=True, help_text="Empty for who may not see bills.")
