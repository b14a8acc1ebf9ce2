"""What clients send, checked for its form alone: whether it can be done is the actions' to say."""

from typing import Any

from rest_framework import serializers

from common.api.bodies import BodySerializer
from scheduling.api.serializers import IdField
from tokens.states import Source

REASON = 300
LONGEST_DELAY = 24 * 60
MOST_PLACES = 1000


class SomewhereSerializer(BodySerializer):
    """A place asked for: by a slot, or by a doctor or a department."""

    slot = IdField(required=False, allow_null=True)
    doctor = IdField(required=False, allow_null=True)
    department = IdField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the three."""
        if sum(attrs.get(name) is not None for name in ("slot", "doctor", "department")) != 1:
            raise serializers.ValidationError({self.blamed: self.demand}, code="required")
        return attrs

    blamed = "slot"
    demand = "Name a slot, or a doctor, or a department: one of them."


class NewTokenSerializer(SomewhereSerializer):
    """A request for a place. Without a slot, the engine takes the first free one of the doctor or department."""

    patient = IdField()
    source = serializers.ChoiceField(Source.choices())  # type: ignore[assignment]  # a field of that name
    date = serializers.DateField(
        required=False, allow_null=True, help_text="With doctor or department: the facility's date; today if left out."
    )
    paid = serializers.BooleanField(default=False)
    arrived = serializers.BooleanField(
        default=None, allow_null=True, help_text="Null: a walk-in or an emergency has arrived, others have not."
    )
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class NewEmergencySerializer(SomewhereSerializer):
    """An emergency; without a slot it asks for the one that is running, else for the next."""

    patient = IdField()
    arrived = serializers.BooleanField(default=None, allow_null=True)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class ReasonSerializer(BodySerializer):
    """Why."""

    reason = serializers.CharField(max_length=REASON, allow_blank=True, default="")


class NeededReasonSerializer(BodySerializer):
    """Why, in the person's own words."""

    reason = serializers.CharField(max_length=REASON)


class HoldSerializer(BodySerializer):
    """For how long."""

    minutes = serializers.IntegerField(min_value=1, max_value=LONGEST_DELAY)


class AwaySerializer(BodySerializer):
    """To which test."""

    where = serializers.CharField(max_length=80, allow_blank=True, default="")


class SendSerializer(SomewhereSerializer):
    """To whom."""

    slot = None  # type: ignore[assignment]  # so DRF leaves out a field of the base
    reason = serializers.CharField(max_length=REASON, allow_blank=True, default="")
    blamed = "doctor"
    demand = "Name a doctor or a department: one of them."


class MoveSerializer(ReasonSerializer):
    """To which slot."""

    slot = IdField()


class ChangePatientSerializer(ReasonSerializer):
    """Whose it is."""

    patient = IdField()


class DelaySerializer(BodySerializer):
    """How late the doctor is; 0 takes a delay back."""

    minutes = serializers.IntegerField(min_value=0, max_value=LONGEST_DELAY)


class PlannedSerializer(BodySerializer):
    """A change that is previewed first."""

    dry_run = serializers.BooleanField(default=False, help_text="Only tell what would happen.")
    version = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=0,
        max_value=2**63 - 1,
        help_text="The preview's version: applied exactly as previewed, else 409 plan_stale with the new plan.",
    )


class CapacitySerializer(PlannedSerializer):
    """How many places."""

    capacity = serializers.IntegerField(min_value=0, max_value=MOST_PLACES)


class BlockSerializer(PlannedSerializer):
    """Why."""

    reason = serializers.CharField(max_length=REASON, allow_blank=True, default="")


class CloseSerializer(PlannedSerializer):
    """Whether those not seen are given the doctor's next free places."""

    move = serializers.BooleanField(default=False)


class CancelSessionSerializer(PlannedSerializer):
    """Why, and whether those not seen are given the doctor's next free places."""

    move = serializers.BooleanField(default=True)
    reason = serializers.CharField(max_length=REASON, allow_blank=True, default="")


class NewSlotSerializer(BodySerializer):
    """A single slot by hand."""

    doctor = IdField()
    room = IdField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField(min_value=1, max_value=MOST_PLACES)


class GridQuerySerializer(serializers.Serializer[Any]):
    """What the calendar grid is narrowed to; today where no date is given, at most two months."""

    LONGEST = 62

    doctor = IdField(required=False)
    department = IdField(required=False)
    room = IdField(required=False)
    date_from = serializers.DateField(required=False)
    date_to = serializers.DateField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Days in order, and not too many of them."""
        first, last = attrs.get("date_from"), attrs.get("date_to")
        if first and last and not 0 <= (last - first).days <= self.LONGEST:
            raise serializers.ValidationError({"date_to": f"From 0 to {self.LONGEST} days after date_from."})
        return attrs


class ThanQuerySerializer(serializers.Serializer[Any]):
    """The other token."""

    than = IdField()
