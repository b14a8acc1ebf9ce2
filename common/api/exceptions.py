"""The one translator from errors to answers: ``{"type", "errors": [{"code", "detail", "attr"}]}``.

Domain errors keep their status and code, and their facts stand beside them in the error. What the database cannot do
now is 503 ``busy`` with ``Retry-After``; what it cannot store is 400; what its constraints refuse is 409. Anything
else is a fault of ours: 500 in the same shape, with nothing of the inside in it.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import BadInput, Busy, DomainError, Refused

logger = logging.getLogger(__name__)


class TooLarge(DomainError):
    """The body is larger than this server reads."""

    code = "too_large"
    status = 413
    sentence = "The body of the request is too large."


class Conflict(Refused):
    """A constraint of the database refused what no rule had refused before it."""

    code = "conflict"
    sentence = "This contradicts what is stored already. Nothing was changed."


class Translated(exceptions.APIException):
    """A domain error in the form that DRF answers with."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(str(error), error.code)
        self.status_code = error.status
        self.error = error


def as_domain_error(error: Exception) -> DomainError | None:
    """What an error of the database or of the request means for the caller; nothing where it is a fault of ours."""
    match error:
        case DomainError():
            return error
        case OperationalError() | InterfaceError():
            # A lock not available in time, a deadlock, a statement cut off, a full pool, a server that restarts:
            # the transaction is gone as a whole, and the same request may be sent again.
            logger.warning("busy: %s", error)
            return Busy()
        case DataError():
            return BadInput("A value is too large, too long or has characters that cannot be stored.")
        case IntegrityError():
            logger.error("a constraint refused what the rules allowed", exc_info=error)
            return Conflict()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation():
            return BadInput()
    return None


class Handler(ExceptionHandler):
    """The exception handler of every API view."""

    def run(self) -> Response | None:
        """Answer, and let the refusal leave its trace now that its transaction is gone."""
        response = super().run()
        request = self.context["request"]
        if isinstance(self.exc, DomainError) and request is not None:
            leave_trace(self.exc, request)
        return response

    def format_exception(self, exc: exceptions.APIException) -> dict[str, Any]:
        """The body of the answer."""
        return Formatter(exc, self.context, self.exc).run()

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        """Bring domain errors, and what the database says, into DRF's form."""
        error = as_domain_error(exc)
        return Translated(error) if error is not None else super().convert_known_exceptions(exc)

    def should_not_handle(self, exc: Exception) -> bool:
        """Handle everything, in development too: a client of the API never gets a page of HTML."""
        return False

    def get_headers(self, exc: exceptions.APIException) -> dict[str, str]:
        """The error's own headers, such as ``Retry-After``."""
        headers: dict[str, str] = super().get_headers(exc)
        return headers | exc.error.headers if isinstance(exc, Translated) else headers


class Formatter(ExceptionFormatter):
    """Puts the facts of a domain error beside its code."""

    def run(self) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = super().run()
        if isinstance(self.exc, Translated):
            body["errors"][0] |= {**self.exc.error.data, "attr": self.exc.error.attr}
        return body


def leave_trace(error: DomainError, request: HttpRequest | Request) -> None:
    """Let a refusal record itself, where it is one that must. The refused transaction has been rolled back."""
    error.aftermath(address=request.META.get("REMOTE_ADDR") or None, method=request.method or "", path=request.path)


def body_of(error: DomainError) -> dict[str, Any]:
    """The same body for answers that are given outside of a view."""
    kind = "server_error" if error.status >= 500 else "client_error"
    return {"type": kind, "errors": [{"code": error.code, "detail": str(error), "attr": error.attr, **error.data}]}
