"""The proof of the ledger, over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.callers import caller
from billing.api import bodies, shapes
from billing.api.callers import facilities_asked
from billing.api.figures import proofs_json
from billing.queries.proofs import proof_to_show


class ProofView(APIView):
    """Whether bills, payments, drawers and ledger agree, down to the last coin."""

    @extend_schema(parameters=[bodies.ProofAskedSerializer], responses=shapes.ProofSerializer)
    def get(self, request: Request) -> Response:
        """Prove it, where nobody names a facility in all that the caller may see.

        `difference` is the sum of all that does not agree. A large hospital's answer is that of the last night, made at
        `at`, unless `now` is asked for: that takes some seconds for every hundred thousand movements of money.
        """
        asked, by = bodies.ProofAskedSerializer.asked(request), caller(request)
        facilities = facilities_asked(asked.get("facility"), by=by, code="billing.ledger")
        return Response(
            proofs_json([(facility, proof_to_show(facility, anew=asked["now"])) for facility in facilities])
        )
