"""The version of a bill that a client has read, as it says it in `If-Match`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from common.api.etag import version_read
from common.api.schema import RefusalSerializer

IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description="The ETag that was read, or *."
)
IF_MATCH_OR_NOT = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The ETag of the bill that was read: 412 if it is old, so that nothing is done twice.",
)

OLD = {412: RefusalSerializer}


def maybe_read(request: Request) -> int | None:
    """The version that was read, where the caller says it: a step of a bill is refused by its state, too."""
    return version_read(request) if "If-Match" in request.headers else None
