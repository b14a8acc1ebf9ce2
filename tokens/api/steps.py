"""What is done with one token, over REST: each parses, calls one action and answers with the token."""

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.callers import caller
from common.api.idempotency import idempotent
from tokens import allocation, queueing, undoing
from tokens.api import serializers as bodies
from tokens.api import shapes
from tokens.api.answers import answer_token

bare = extend_schema(request=None, responses=shapes.TokenSerializer)
"""Describes a step that needs no body."""


class TokenSteps:
    """The steps of a token, to be mixed into its viewset."""

    @extend_schema(request=bodies.ReasonSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a token; `promoted` names those who got a place by it."""
        reason = bodies.ReasonSerializer.of(request)["reason"]
        return answer_token(request, allocation.cancel_token(token_id=int(pk), reason=reason, by=caller(request)))

    @bare
    @action(detail=True, methods=["post"], url_path="no-show")
    @idempotent
    def no_show(self, request: Request, pk: str) -> Response:
        """The patient did not come; `promoted` names those who got a place by it."""
        return answer_token(request, allocation.mark_no_show(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"], url_path="late-return")
    @idempotent
    def late_return(self, request: Request, pk: str) -> Response:
        """A no-show came after all, and asks again for the session's first slot that is not over."""
        return answer_token(request, allocation.return_late(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"], url_path="mark-paid")
    @idempotent
    def mark_paid(self, request: Request, pk: str) -> Response:
        """Priority was paid for: the token is scored anew, and decided again at once if it waits."""
        return answer_token(request, allocation.mark_paid(token_id=int(pk), by=caller(request)))

    @extend_schema(request=bodies.MoveSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def move(self, request: Request, pk: str) -> Response:
        """Move a token to another slot with a free place; nobody is displaced."""
        given = bodies.MoveSerializer.of(request)
        outcome = allocation.move_token(
            token_id=int(pk), slot_id=given["slot"], reason=given["reason"], by=caller(request)
        )
        return answer_token(request, outcome)

    @extend_schema(request=bodies.NeededReasonSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def overbook(self, request: Request, pk: str) -> Response:
        """Give a waiting token a place beyond the capacity, in the caller's name."""
        reason = bodies.NeededReasonSerializer.of(request)["reason"]
        return answer_token(request, allocation.overbook_token(token_id=int(pk), reason=reason, by=caller(request)))

    @extend_schema(request=bodies.ChangePatientSerializer)
    @action(detail=True, methods=["post"], url_path="change-patient")
    @idempotent
    def change_patient(self, request: Request, pk: str) -> Response:
        """The wrong record was chosen: the token belongs to another patient."""
        given = bodies.ChangePatientSerializer.of(request)
        outcome = allocation.change_patient(
            token_id=int(pk), patient_id=given["patient"], reason=given["reason"], by=caller(request)
        )
        return answer_token(request, outcome)

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def arrive(self, request: Request, pk: str) -> Response:
        """The patient is here."""
        return answer_token(request, queueing.arrive(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def call(self, request: Request, pk: str) -> Response:
        """Call this one, whoever stands before it."""
        return answer_token(request, queueing.call(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def recall(self, request: Request, pk: str) -> Response:
        """Call again one who has not come in."""
        return answer_token(request, queueing.recall(token_id=int(pk), by=caller(request)))

    @extend_schema(request=bodies.HoldSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def hold(self, request: Request, pk: str) -> Response:
        """Pass over the token for some minutes; it keeps its rank."""
        minutes = bodies.HoldSerializer.of(request)["minutes"]
        return answer_token(request, queueing.hold(token_id=int(pk), minutes=minutes, by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def skip(self, request: Request, pk: str) -> Response:
        """Pass over the token until another has been called, or nobody else can be."""
        return answer_token(request, queueing.skip(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def start(self, request: Request, pk: str) -> Response:
        """The visit begins, or goes on after a test."""
        return answer_token(request, queueing.start(token_id=int(pk), by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def complete(self, request: Request, pk: str) -> Response:
        """The visit is over."""
        return answer_token(request, queueing.complete(token_id=int(pk), by=caller(request)))

    @extend_schema(request=bodies.AwaySerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def away(self, request: Request, pk: str) -> Response:
        """In mid-visit to a test: the doctor's room is free."""
        where = bodies.AwaySerializer.of(request)["where"]
        return answer_token(request, queueing.send_away(token_id=int(pk), where=where, by=caller(request)))

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def back(self, request: Request, pk: str) -> Response:
        """Back from the test, near the front of the queue."""
        return answer_token(request, queueing.back(token_id=int(pk), by=caller(request)))

    @extend_schema(request=bodies.SendSerializer, responses={201: shapes.TokenSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def send(self, request: Request, pk: str) -> Response:
        """Send the patient to another doctor or department: the answer is the new token, linked to the old one."""
        given = bodies.SendSerializer.of(request)
        outcome = queueing.send_on(
            token_id=int(pk),
            doctor_id=given.get("doctor"),
            department_id=given.get("department"),
            reason=given["reason"],
            by=caller(request),
        )
        return answer_token(request, outcome, status=201)

    @bare
    @action(detail=True, methods=["post"])
    @idempotent
    def undo(self, request: Request, pk: str) -> Response:
        """Take back the token's last step."""
        return answer_token(request, undoing.undo_last(token_id=int(pk), by=caller(request)))
