"""Bodies of requests, checked for their form alone.

A serializer that is given no data has no state, and making one costs as much as all of its checks: each is made once.
"""

from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request


class BodySerializer(serializers.Serializer[Any]):
    """The body of a request."""

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """What the body says.

        Raises:
            ValidationError: 400, with the fields to blame.
        """
        values: dict[str, Any] = _made(cls).run_validation(request.data)
        return values


@cache
def _made(body: type[BodySerializer]) -> BodySerializer:
    return body()
