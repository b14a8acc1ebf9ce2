"""Calls that cross apps: a patient's visits, and the merging of two records."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import reach
from common.api.idempotency import idempotent
from common.api.ids import ID
from patients.api.serializers import PatientSerializer
from patients.models import Patient
from patients.queries import get_patient
from reception import queries
from reception.actions import merge_patients
from reception.api.serializers import MergeSerializer, VisitSerializer
from tokens.api.answers import clock, root_of, token_json
from tokens.models import Token
from tokens.waits import places


class PatientVisitsViewSet(GenericViewSet[Patient]):
    """What happens around a patient's record beyond the registry."""

    queryset = Patient.objects.none()
    serializer_class = VisitSerializer
    lookup_value_regex = ID
    filter_backends = ()

    @extend_schema(responses=VisitSerializer(many=True))
    @action(detail=True)
    def visits(self, request: Request, pk: str) -> Response:
        """The days on which a patient held tokens, the newest first, of records merged into this one too."""
        patient = get_patient(patient_id=int(pk), by=caller(request))
        reach(caller(request), queries.VIEW, patient)
        dates: list[Any] = list(self.paginate_queryset(queries.visit_dates(patient)) or [])  # type: ignore[arg-type]
        tokens = list(queries.visits(patient).filter(session__date__in=dates))
        return self.get_paginated_response(_by_day(request, patient, dates, tokens))

    @extend_schema(request=MergeSerializer, responses=PatientSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def merge(self, request: Request, pk: str) -> Response:
        """Two records are one person: this one is closed, its active tokens go to the other.

        409 `duplicate_token` where both hold an active token in one session: cancel one of them first.
        """
        given = MergeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        merged = merge_patients(patient_id=int(pk), into_id=given.validated_data["into"], by=caller(request))
        return Response(PatientSerializer(merged).data)


def _by_day(request: Request, patient: Patient, dates: list[Any], tokens: list[Token]) -> list[dict[str, Any]]:
    """The tokens under their days, with where they stand."""
    where, zone, root = places(tokens), patient.facility.tz, root_of(request)
    days: dict[Any, list[dict[str, Any]]] = {date: [] for date in dates}
    for token in tokens:
        session = token.session
        days[session.date].append(
            {
                **token_json(
                    token,
                    position=where.positions.get(token.pk),
                    wait=where.waits.get(token.pk),
                    zone=zone,
                    root=root,
                ),
                "doctor": session.doctor.name,
                "department": session.department.name,
                "room": session.room.name,
                "starts_at": clock(token.slot.starts_at, zone),
            }
        )
    return [{"date": date.isoformat(), "tokens": listed} for date, listed in days.items()]
