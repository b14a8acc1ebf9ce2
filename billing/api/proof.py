"""The proof of the ledger, over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from billing.api import bodies, shapes
from billing.api.callers import facilities_asked
from billing.api.figures import proofs_json
from billing.proof import prove


class ProofView(APIView):
    """Whether bills, payments, drawers and ledger agree, down to the last coin."""

    @extend_schema(parameters=[bodies.FacilitySerializer], responses=shapes.ProofSerializer)
    def get(self, request: Request) -> Response:
        """Prove it now, where nobody names a facility in all that the caller may see.

        `difference` is the sum of all that does not agree.
        """
        asked, by = bodies.FacilitySerializer.asked(request), caller(request)
        facilities = facilities_asked(asked.get("facility"), by=by, code="billing.ledger")
        return Response(proofs_json([(facility, prove(facility)) for facility in facilities]))
