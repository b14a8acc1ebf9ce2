"""The shapes of the answers, for the OpenAPI document; `answers.py` makes them."""

from typing import Any

from rest_framework import serializers

from scheduling.states import SessionStatus
from tokens.kinds import EventKind, SupplyKind
from tokens.states import Source, Status

SLOT_STATUS = ["open", "blocked", "cancelled", "over"]
NO_ESTIMATE = "Half of patients start before it. Null where nobody is in the queue, or its session is hours away."
NO_LATE_ESTIMATE = "Nine of ten patients start before it. Null as the other figure."


class TokenSerializer(serializers.Serializer[Any]):
    """A token. Times carry the facility's offset."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    status = serializers.ChoiceField(Status.choices())
    source = serializers.ChoiceField(Source.choices())  # type: ignore[assignment]  # a field of that name
    paid = serializers.BooleanField()
    score = serializers.IntegerField(help_text="The priority; higher is earlier.")
    position = serializers.IntegerField(
        allow_null=True, help_text="Among the confirmed of its slot, or in its waitlist; null where it is in neither."
    )
    slot = serializers.IntegerField()
    session = serializers.IntegerField()
    patient = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    arrived_at = serializers.DateTimeField(allow_null=True)
    called_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    wait_p50_minutes = serializers.IntegerField(allow_null=True, help_text=NO_ESTIMATE)
    wait_p90_minutes = serializers.IntegerField(allow_null=True, help_text=NO_LATE_ESTIMATE)
    status_url = serializers.URLField(help_text="Needs no sign-in: for the patient's own eyes.")
    displaced = serializers.ListField(child=serializers.IntegerField(), help_text="Tokens that lost their place by it.")
    promoted = serializers.ListField(child=serializers.IntegerField(), help_text="Tokens that got a place by it.")


class TokenEventSerializer(serializers.Serializer[Any]):
    """What happened to a token, who did it, when and why, and the event that caused it."""

    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(EventKind.choices())
    sentence = serializers.CharField()
    status = serializers.ChoiceField(Status.choices(), help_text="The status that resulted.")
    changes = serializers.DictField()
    reason = serializers.CharField()
    actor = serializers.IntegerField(allow_null=True, help_text="Null: the clinic itself.")
    actor_name = serializers.CharField()
    at = serializers.DateTimeField()
    cause_token = serializers.IntegerField(allow_null=True)
    cause_seq = serializers.IntegerField(allow_null=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why one stands before the other."""

    sentence = serializers.CharField()
    facts = serializers.DictField()


class TokenStatusSerializer(serializers.Serializer[Any]):
    """What the holder of a slip sees."""

    number = serializers.CharField()
    status = serializers.ChoiceField(Status.choices())
    position = serializers.IntegerField(allow_null=True)
    people_ahead = serializers.IntegerField(allow_null=True)
    wait_p50_minutes = serializers.IntegerField(allow_null=True, help_text=NO_ESTIMATE)
    wait_p90_minutes = serializers.IntegerField(allow_null=True, help_text=NO_LATE_ESTIMATE)
    now_serving = serializers.CharField(allow_null=True)
    delay_minutes = serializers.IntegerField()
    paused = serializers.BooleanField()
    room = serializers.CharField()
    slot_starts_at = serializers.DateTimeField()
    slot_ends_at = serializers.DateTimeField()
    arrived_at = serializers.DateTimeField(allow_null=True)
    called_at = serializers.DateTimeField(allow_null=True)


class SlotSerializer(serializers.Serializer[Any]):
    """A slot, with how full it is."""

    id = serializers.IntegerField()
    doctor = serializers.IntegerField()
    session = serializers.IntegerField()
    room = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    used = serializers.IntegerField(help_text="Confirmed, in progress and completed.")
    confirmed = serializers.IntegerField()
    waitlisted = serializers.IntegerField()
    overbooked = serializers.IntegerField()
    free = serializers.IntegerField()
    status = serializers.ChoiceField(SLOT_STATUS)


class SessionSerializer(serializers.Serializer[Any]):
    """A session."""

    id = serializers.IntegerField()
    facility = serializers.IntegerField()
    department = serializers.IntegerField()
    doctor = serializers.IntegerField()
    room = serializers.IntegerField()
    date = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    status = serializers.ChoiceField(SessionStatus.choices)
    prefix = serializers.CharField()
    delay_minutes = serializers.IntegerField()
    paused_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField(help_text="Changes with every change of the session's queue.")


class PlaceToldSerializer(serializers.Serializer[Any]):
    """Where a token stands before or after a plan."""

    status = serializers.ChoiceField(Status.choices())
    slot = serializers.IntegerField()
    session = serializers.IntegerField()
    number = serializers.CharField()


class EffectSerializer(serializers.Serializer[Any]):
    """What a plan does to one token, and which message its patient gets (none where it is empty)."""

    token = serializers.IntegerField()
    number = serializers.CharField()
    patient = serializers.IntegerField()
    arrived = serializers.BooleanField()
    event = serializers.ChoiceField(EventKind.choices())
    message = serializers.CharField()
    before = PlaceToldSerializer()
    after = PlaceToldSerializer()


class BackSerializer(serializers.Serializer[Any]):
    """How much goes back to the patient of a token."""

    token = serializers.IntegerField()
    amount = serializers.CharField()


class PlanMoneySerializer(serializers.Serializer[Any]):
    """What a plan would do with bills."""

    currency = serializers.CharField()
    back = serializers.CharField(help_text="What goes back in all.")
    refunds = BackSerializer(many=True)
    sentences = serializers.ListField(child=serializers.CharField())


class PlanSerializer(serializers.Serializer[Any]):
    """A change of supply, previewed or applied: every patient whom it touches."""

    id = serializers.IntegerField(allow_null=True, help_text="Null for a preview. POST plans/{id}/undo/ takes it back.")
    version = serializers.IntegerField(help_text="Send it back to apply exactly this preview.")
    applied = serializers.BooleanField()
    kind = serializers.ChoiceField(SupplyKind.choices())
    session = serializers.IntegerField()
    slot = serializers.IntegerField(allow_null=True)
    changes = serializers.DictField()
    effects = EffectSerializer(many=True)
    money = PlanMoneySerializer(
        required=False, allow_null=True, help_text="Of a preview; null where the caller may not see bills."
    )


class PlannedSessionSerializer(SessionSerializer):
    """A session after a plan was applied, with the plan."""

    plan = PlanSerializer()


class QueueSerializer(serializers.Serializer[Any]):
    """A session's queue at a moment."""

    session = serializers.IntegerField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(SessionStatus.choices)
    delay_minutes = serializers.IntegerField()
    paused_at = serializers.DateTimeField(allow_null=True)
    now_serving = TokenSerializer(allow_null=True, help_text="Who is with the doctor, else who was called last.")
    called = TokenSerializer(many=True, help_text="Called, and not come in yet.")
    next = TokenSerializer(allow_null=True, help_text="Whom call-next calls.")
    waiting = TokenSerializer(many=True, help_text="Everybody else in the queue, here or expected, in call order.")
    away = TokenSerializer(many=True, help_text="In mid-visit at a test.")
    waitlisted = TokenSerializer(many=True, help_text="Waiting for a place.")
    passed_over = serializers.DictField(
        child=serializers.ChoiceField(["not_here", "held", "skipped"]),
        help_text="Why somebody in the queue cannot be called now, by the token's id.",
    )


class DoctorColumnSerializer(serializers.Serializer[Any]):
    """A doctor of the grid."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    department = serializers.IntegerField()


class RoomColumnSerializer(serializers.Serializer[Any]):
    """A room of the grid."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ResourcesSerializer(serializers.Serializer[Any]):
    """The columns that a grid may have."""

    doctors = DoctorColumnSerializer(many=True)
    rooms = RoomColumnSerializer(many=True)


class BoardSerializer(serializers.Serializer[Any]):
    """The calendar grid."""

    date_from = serializers.DateField()
    date_to = serializers.DateField()
    resources = ResourcesSerializer()
    sessions = SessionSerializer(many=True)
    slots = SlotSerializer(many=True)
    tokens = TokenSerializer(many=True)
