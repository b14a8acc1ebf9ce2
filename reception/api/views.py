"""Calls that cross apps: a patient's visits, and the merging of two records."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import allows, reach
from billing.api.answers import due_of
from billing.api.answers import money as in_full
from billing.models import Bill
from common.api.etag import etag
from common.api.idempotency import idempotent
from common.api.ids import ID
from patients.api.serializers import PatientSerializer
from patients.models import Patient
from patients.queries import get_patient
from reception import queries
from reception.actions import merge_patients
from reception.api.serializers import MergedSerializer, MergeSerializer, VisitSerializer
from reception.models import Visit
from reception.money import queries as money
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
        """The days on which a patient held tokens, with their bills, the newest first, of merged records too."""
        patient = get_patient(patient_id=int(pk), by=caller(request))
        reach(caller(request), queries.VIEW, patient)
        dates: list[Any] = list(self.paginate_queryset(queries.visit_dates(patient)) or [])  # type: ignore[arg-type]
        tokens = list(queries.visits(patient).filter(session__date__in=dates).select_related("of_visit"))
        sees = allows(caller(request), money.SEE, patient.facility_id)
        return self.get_paginated_response(_by_day(request, patient, dates, tokens, bills=sees))

    @extend_schema(request=MergeSerializer, responses=MergedSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def merge(self, request: Request, pk: str) -> Response:
        """Two records are one person: this one is closed, its active tokens go to the other.

        Two visits of one day become one. No money moves by itself; what the merge shows to be charged twice is in
        `notes`, for who may see bills. 409 `duplicate_token` where both hold an active token in one session: cancel one
        of them first.
        """
        given = MergeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        by, into_id = caller(request), given.validated_data["into"]
        merged = merge_patients(patient_id=int(pk), into_id=into_id, by=by)
        notes = money.charged_twice(into_id) if allows(by, money.SEE, merged.facility_id) else []
        return Response({**PatientSerializer(merged).data, "notes": notes}, headers=etag(merged.version))


def _by_day(
    request: Request, patient: Patient, dates: list[Any], tokens: list[Token], *, bills: bool
) -> list[dict[str, Any]]:
    """The tokens under their days, with where they stand, and the bills of each day for who may see them."""
    where, zone, root = places(tokens), patient.facility.tz, root_of(request)
    days: dict[Any, list[dict[str, Any]]] = {date: [] for date in dates}
    opened = money.visits_on(patient, dates)
    visits = {visit.date: visit for visit in reversed(opened) if visit.used}  # type: ignore[attr-defined]
    listed = _bills(tokens, opened) if bills else {}
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
                "bill": token.of_visit.bill_id if bills and hasattr(token, "of_visit") else None,
            }
        )
    return [
        {
            "id": visits[date].pk if date in visits else None,
            "date": date.isoformat(),
            "opened_at": clock(visits[date].opened_at, zone) if date in visits else None,
            "tokens": of_day,
            "bills": listed.get(date, []),
        }
        for date, of_day in days.items()
    ]


def _bills(tokens: list[Token], visits: list[Visit]) -> dict[Any, list[dict[str, Any]]]:
    """The bills about visits and their tokens, by the day. Two queries."""
    days = {token.pk: token.session.date for token in tokens} | {0: None}
    of_visit = {visit.pk: visit.date for visit in visits}
    found: dict[Any, list[dict[str, Any]]] = {}
    for token_id, about in money.bills_on(visits, list(days)).items():
        for bill in about:
            date = days[token_id] or of_visit.get(bill.billable_id or 0)
            found.setdefault(date, []).append(_bill_json(bill, token_id or None))
    return {date: sorted(bills, key=lambda bill: int(bill["id"])) for date, bills in found.items()}


def _bill_json(bill: Bill, token_id: int | None) -> dict[str, Any]:
    return {
        "id": bill.pk,
        "number": bill.number,
        "status": bill.status,
        "about": bill.about,
        "token": token_id,
        "currency": bill.currency,
        "total": in_full(bill.total),
        "paid": in_full(bill.paid),
        "due": in_full(due_of(bill)),
    }
