"""The registry over REST: parse, call one action or query, answer."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import require_anywhere
from accounts.queries import only_facility
from common.api.etag import etag, version_read
from common.api.idempotency import idempotent
from common.api.ids import ID
from common.transactions import outermost
from patients import actions, queries
from patients.api.serializers import (
    ChangePatientSerializer,
    PatientSerializer,
    RegisteredSerializer,
    RegisterSerializer,
)
from patients.models import Patient

SEARCH = OpenApiParameter("search", str, description="Name, phone or number; tolerant of spelling.")
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description="The ETag that was read, or *."
)


class PatientViewSet(GenericViewSet[Patient]):
    """Patients of the facilities in which the caller may see them."""

    queryset = Patient.objects.none()
    serializer_class = PatientSerializer
    lookup_value_regex = ID
    filter_backends = ()

    @extend_schema(parameters=[SEARCH])
    def list(self, request: Request) -> Response:
        """The newest patients; with ``search``, those it may mean, the likeliest first (50 at most)."""
        ids = require_anywhere(caller(request), "patients.view")
        text = request.query_params.get("search", "").strip()[:200]
        found: Any = (
            queries.search_patients(facility_ids=ids, text=text) if text else queries.patients_of(ids).order_by("-id")
        )
        page = self.paginate_queryset(found)
        return self.get_paginated_response(PatientSerializer(page, many=True).data)

    @extend_schema(request=RegisterSerializer, responses={201: RegisteredSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a patient, and see who it may have been all along."""
        given = RegisterSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        known = dict(given.validated_data)
        facility = known.pop("facility", None) or only_facility(caller(request), "patients.edit")
        patient = actions.register_patient(facility=facility, by=caller(request), **known)
        patient.possible_duplicates = queries.possible_duplicates(patient)  # type: ignore[attr-defined]
        return Response(RegisteredSerializer(patient).data, status=201, headers=etag(patient.version))

    def retrieve(self, request: Request, pk: str) -> Response:
        """One patient, with the ``ETag`` that a change needs."""
        return _shown(queries.get_patient(patient_id=int(pk), by=caller(request)))

    @extend_schema(request=ChangePatientSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is known of a patient. Needs ``If-Match``: a lost update is a 412."""
        given = ChangePatientSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        read = version_read(request)
        return outermost(
            lambda: _shown(
                actions.update_patient(patient_id=int(pk), by=caller(request), read=read, **given.validated_data)
            )
        )


def _shown(patient: Patient) -> Response:
    return Response(PatientSerializer(patient).data, headers=etag(patient.version))
