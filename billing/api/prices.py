"""What things cost, over REST."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from billing import queries
from billing.api import bodies, shapes
from billing.api.callers import facility_asked
from billing.api.figures import price_json
from billing.models import Price


class PriceViewSet(GenericViewSet[Price]):
    """What things cost."""

    queryset = Price.objects.none()
    serializer_class = shapes.PriceSerializer
    filter_backends = ()

    @extend_schema(parameters=[bodies.PricesSerializer])
    def list(self, request: Request) -> Response:
        """The prices in force on a day (the facility's today where none is given), by name."""
        asked, by = bodies.PricesSerializer.asked(request), caller(request)
        facility = facility_asked(asked.get("facility"), by=by, code="billing.view")
        prices = queries.price_list(
            facility.pk, asked.get("on") or facility.local_date(), text=asked["search"], item_type=asked["item_type"]
        )
        page = self.paginate_queryset(prices) or []
        return self.get_paginated_response([price_json(price, facility) for price in page])
