"""The proof of the ledger, over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from billing.api import bodies, shapes
from billing.api.callers import facility_asked
from billing.api.figures import proof_json
from billing.proof import prove


class ProofView(APIView):
    """Whether bills, payments, drawers and ledger agree, down to the last coin."""

    @extend_schema(parameters=[bodies.FacilitySerializer], responses=shapes.ProofSerializer)
    def get(self, request: Request) -> Response:
        """Prove it now. `difference` is the sum of all that does not agree."""
        asked, by = bodies.FacilitySerializer.asked(request), caller(request)
        facility = facility_asked(asked.get("facility"), by=by, code="billing.ledger")
        return Response(proof_json(prove(facility), facility))
