"""What the desk's calls take and answer."""

from typing import Any

from rest_framework import serializers

from tokens.api.shapes import TokenSerializer


class MergeSerializer(serializers.Serializer[Any]):
    """The record that goes on alone."""

    into = serializers.IntegerField(min_value=1)


class VisitTokenSerializer(TokenSerializer):
    """A token of a visit, with the names that a list of visits shows."""

    doctor = serializers.CharField()
    department = serializers.CharField()
    room = serializers.CharField()
    starts_at = serializers.DateTimeField(help_text="The start of its slot.")


class VisitSerializer(serializers.Serializer[Any]):
    """A day on which a patient held tokens."""

    date = serializers.DateField(help_text="The facility's local date.")
    tokens = VisitTokenSerializer(many=True)
