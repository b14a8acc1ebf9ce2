"""What things cost, over REST."""

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api.callers import caller
from billing import queries
from billing.api import bodies, shapes
from billing.api.callers import facilities_asked
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
        facilities = facilities_asked(asked.get("facility"), by=by, code="billing.view")
        wanted = Q(pk__in=())
        for facility in facilities:
            on = asked.get("on") or facility.local_date()
            prices = queries.price_list(facility.pk, on, text=asked["search"], item_type=asked["item_type"])
            wanted |= Q(pk__in=prices.order_by().values("pk"))
        listed = Price.objects.filter(wanted).select_related("tax").order_by("name", "pk")
        known = {facility.pk: facility for facility in facilities}
        page = self.paginate_queryset(listed) or []
        return self.get_paginated_response([price_json(price, known[price.facility_id]) for price in page])
