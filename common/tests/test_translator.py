"""Whatever goes wrong, a client gets one shape, a code, a sentence, and nothing of the inside."""

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api import exceptions
from common.errors import BadInput, Busy, Forbidden, NotFound, PreconditionFailed, Refused, TooManyRequests


class SlotClosed(Refused):
    code = "slot_closed"
    sentence = "The slot {slot} is closed."


def answer_to(error: Exception) -> Response:
    class Failing(APIView):
        authentication_classes = ()
        permission_classes = ()
        throttle_classes = ()

        def get(self, request: Request) -> Response:
            raise error

    return Failing.as_view()(RequestFactory().get("/api/v1/anything/"))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SlotClosed(slot=41), 409, "slot_closed"),
        (BadInput(), 400, "invalid"),
        (Forbidden(), 403, "permission_denied"),
        (NotFound(), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (PreconditionFailed(), 412, "precondition_failed"),
        (TooManyRequests(wait=7), 429, "throttled"),
        (Busy(), 503, "busy"),
        (OperationalError("canceling statement due to lock timeout"), 503, "busy"),
        (DataError("integer out of range"), 400, "invalid"),
        (IntegrityError("violates exclusion constraint"), 409, "conflict"),
        (RequestDataTooBig(), 413, "too_large"),
        (ZeroDivisionError("division by zero in the secret place"), 500, "error"),
    ],
)
def test_each_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    response = answer_to(error)
    assert response.status_code == status
    assert response.data["type"] == ("server_error" if status >= 500 else "client_error")
    assert [one["code"] for one in response.data["errors"]] == [code]
    assert "secret" not in str(response.data)
    assert "constraint" not in str(response.data)


def test_the_facts_stand_beside_the_code() -> None:
    (error,) = answer_to(SlotClosed(slot=41, attr="slot")).data["errors"]
    assert error == {"code": "slot_closed", "detail": "The slot 41 is closed.", "attr": "slot", "slot": 41}


def test_who_must_wait_is_told_how_long() -> None:
    assert answer_to(TooManyRequests(wait=7)).headers["Retry-After"] == "7"
    assert answer_to(Busy()).headers["Retry-After"] == "1"


def test_a_sentence_without_facts_may_hold_braces() -> None:
    assert str(BadInput("{this} is not JSON")) == "{this} is not JSON"


def test_the_body_outside_of_a_view_is_the_same() -> None:
    error = SlotClosed(slot=41, attr="slot")
    assert exceptions.body_of(error) == answer_to(error).data
