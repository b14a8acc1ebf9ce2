"""What patients have paid in advance, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from accounts.permissions import reach, require_anywhere
from billing.api import bodies, shapes
from billing.api.answers import balance_json
from billing.api.callers import patient_billed
from billing.models import PatientAccount
from billing.queries.balances import balances, holders
from common.api.ids import ID
from patients.models import Patient


class PatientAccountViewSet(GenericViewSet[PatientAccount]):
    """Patients' accounts in the facilities in which the caller may see them."""

    queryset = PatientAccount.objects.none()
    serializer_class = shapes.PatientBalanceSerializer
    filter_backends = ()
    lookup_value_regex = ID

    @extend_schema(parameters=[bodies.WhoseSerializer])
    def list(self, request: Request) -> Response:
        """Balances of patients who have an account; with `patient` this one's, 0.00 where nothing was ever paid.

        What was paid under records that were merged into a patient's belongs to the patient.
        """
        by, asked = caller(request), bodies.WhoseSerializer.asked(request).get("patient")
        ids = require_anywhere(by, "billing.view")
        rows: Any = holders(ids)
        if asked is not None:
            patient = patient_billed(asked)
            reach(by, "billing.view", patient)
            rows = [patient.merged_into_id or patient.pk]
        page: Any = self.paginate_queryset(rows) or []
        people = Patient.objects.select_related("facility").in_bulk(page)
        held = balances(people)
        return self.get_paginated_response([balance_json(people[pk], held.get(pk)) for pk in page])
