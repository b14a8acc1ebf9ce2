"""How errors stand in the OpenAPI document: beside those of drf-standardized-errors, the refusals of our own rules."""

from typing import Any

from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS


class RefusalErrorSerializer(serializers.Serializer[Any]):
    """One refusal. Facts such as the id of the token already held stand beside these three."""

    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class RefusalSerializer(serializers.Serializer[Any]):
    """What a rule answers when it refuses."""

    type = serializers.CharField(help_text="client_error or server_error")
    errors = RefusalErrorSerializer(many=True)  # type: ignore[assignment]


class Schema(AutoSchema):
    """Says 409, 422 and 503 where something is changed, 412 where ``If-Match`` is asked for."""

    def _should_add_error_response(self, responses: dict[str, Any], status_code: str) -> bool:
        if status_code in {"409", "422", "503"} and self.method in SAFE_METHODS:
            return False
        if status_code in {"412", "428"} and self.method not in {"PATCH", "PUT"}:
            return False
        answer: bool = super()._should_add_error_response(responses, status_code)
        return answer
