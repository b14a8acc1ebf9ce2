"""Simulated days: made-up ones, and past ones under another policy."""

from dataclasses import fields
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from accounts.models import Facility
from accounts.permissions import reach, require_anywhere
from accounts.queries import only_facility
from common.api.bodies import BodySerializer
from common.errors import NotFound
from scheduling.api.serializers import IdField
from tokens.facts import PRESETS
from tokens.simulation.again import replay_day
from tokens.simulation.day import BOUNDS, Plan
from tokens.simulation.made_up import simulate

SIMULATE = "tokens.simulate"
_USUAL = Plan()


def _size(name: str) -> serializers.IntegerField:
    least, most = BOUNDS[name]
    return serializers.IntegerField(min_value=least, max_value=most, default=getattr(_USUAL, name))


class PlanSerializer(BodySerializer):
    """The size of a day; whatever is left out is as usual."""

    doctors = _size("doctors")
    slots_per_doctor = _size("slots_per_doctor")
    capacity = _size("capacity")
    requests = _size("requests")
    seed = serializers.IntegerField(min_value=-(2**63), max_value=2**63 - 1, default=_USUAL.seed)
    policy = serializers.ChoiceField(sorted(PRESETS), default=_USUAL.policy)


class ReplayQuerySerializer(serializers.Serializer[Any]):
    """Which day, under which policy; the facility where the caller has several."""

    date = serializers.DateField()
    policy = serializers.ChoiceField(sorted(PRESETS))
    facility = IdField(required=False)


class WaitSerializer(serializers.Serializer[Any]):
    """From being here to the start of the visit."""

    seen = serializers.IntegerField()
    mean_minutes = serializers.FloatField()
    p50_minutes = serializers.FloatField()
    p90_minutes = serializers.FloatField()


class FiguresSerializer(serializers.Serializer[Any]):
    """What happened on a day."""

    tokens_booked = serializers.IntegerField()
    emergencies = serializers.IntegerField()
    cancellations = serializers.IntegerField()
    no_place = serializers.IntegerField()
    no_shows = serializers.IntegerField()
    seen = serializers.IntegerField()
    displacements = serializers.IntegerField()
    promotions = serializers.IntegerField()
    overbooked = serializers.IntegerField()
    waitlisted = serializers.IntegerField()
    waitlisted_remaining = serializers.IntegerField()
    capacity_violations = serializers.IntegerField()
    wait_by_source = serializers.DictField(child=WaitSerializer())


class StepSerializer(serializers.Serializer[Any]):
    """One action of the day, and whom it touched."""

    at = serializers.DateTimeField()
    action = serializers.CharField()
    doctor = serializers.CharField(required=False)
    token = serializers.CharField(required=False)
    status = serializers.CharField(required=False)
    displaced = serializers.ListField(child=serializers.CharField(), required=False)
    promoted = serializers.ListField(child=serializers.CharField(), required=False)
    refused = serializers.CharField(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        """`source` is a field's own attribute, so it is added by name."""
        return {**super().get_fields(), "source": serializers.CharField(required=False)}


class SimulationSerializer(FiguresSerializer):
    """A played day."""

    doctors = serializers.IntegerField()
    slots_created = serializers.IntegerField()
    capacity = serializers.IntegerField()
    requests = serializers.IntegerField()
    seed = serializers.IntegerField()
    policy = serializers.CharField()
    refused = serializers.DictField(child=serializers.IntegerField())
    rules_broken = serializers.ListField(child=serializers.CharField())
    timeline = serializers.ListField(child=StepSerializer())


class ReplaySerializer(serializers.Serializer[Any]):
    """A day as it was, and as it would have been."""

    date = serializers.DateField()
    facility = serializers.IntegerField()
    policy = serializers.CharField()
    recorded = FiguresSerializer()
    replayed = FiguresSerializer()


class SimulationView(APIView):
    """Made-up days."""

    @extend_schema(request=PlanSerializer, responses=SimulationSerializer)
    def post(self, request: Request) -> Response:
        """Play one OPD day through the real engine; nothing of it stays. The same seed gives the same answer."""
        require_anywhere(caller(request), SIMULATE)
        given = PlanSerializer.of(request)
        return Response(simulate(Plan(**{field.name: given[field.name] for field in fields(Plan)})))


class ReplayView(APIView):
    """Past days."""

    @extend_schema(parameters=[ReplayQuerySerializer, OpenApiParameter("policy", str)], responses=ReplaySerializer)
    def get(self, request: Request) -> Response:
        """Play a past day again under another policy, and set the two side by side."""
        by = caller(request)
        asked = ReplayQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if "facility" not in given:
            facility = only_facility(by, SIMULATE)
        else:
            facility = _facility(given["facility"])
            reach(by, SIMULATE, facility, facility_id=facility.pk)
        return Response(replay_day(facility, given["date"], given["policy"]))


def _facility(pk: int) -> Facility:
    facility = Facility.objects.filter(pk=pk).first()
    if facility is None:
        raise NotFound("There is no such facility.")
    return facility
