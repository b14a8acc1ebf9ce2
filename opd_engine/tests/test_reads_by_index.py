"""What the pages ask most often costs the same after years: no read of a whole table of tokens or events.

With few rows PostgreSQL reads them all, which is why it is told not to: the question is whether it could.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.testing.plans import whole
from consultations import queries as consultations
from reception import phone_queries, queries, token_queries
from reception.money import queries as money
from reception.money import reading
from reception.tests.factories import Hall
from reception.to_tell import to_tell
from tokens.models import Token
from tokens.rules import SENT_ON

pytestmark = pytest.mark.django_db

LARGE = (
    "tokens_token",
    "tokens_event",
    "patients_patient",
    "reception_visit",
    "reception_visittoken",
    "billing_bill",
    "billing_line",
)

READS: dict[str, Callable[[Hall, Token], Any]] = {
    "a patient's visits": lambda hall, token: list(queries.visits(token.patient)),
    "the doctor asked for last": lambda hall, token: queries.last_doctor(token.patient),
    "what giving a token did to others": lambda hall, token: queries.effects(token, at=timezone.now()),
    "where a patient was sent on, for staff": lambda hall, token: token_queries.sent_to(token),
    "where a patient was sent on, for the patient": lambda hall, token: phone_queries._ended(
        token, phone_queries.State.CANCELLED, SENT_ON
    ),
    "a token's history": lambda hall, token: token_queries.events_of(token),
    "who is to be told": lambda hall, token: to_tell(hall.facility),
    "how long this doctor takes": lambda hall, token: consultations._median(hall.rao.pk),
    "what opened a patient's day": lambda hall, token: money.visits_on(token.patient, [token.session.date]),
    "what a patient was charged twice": lambda hall, token: money.charged_twice(token.patient_id, token.session.date),
    "in which visits the hospital fee was charged": lambda hall, token: reading.fee_charged([1, 2]),
    "where this doctor sends patients": lambda hall, token: consultations.places_sent(hall.session),
}


@pytest.mark.parametrize("what", READS)
def test_it_needs_no_whole_table(what: str) -> None:
    hall = Hall()
    token = hall.give("Ravi")
    token.ended_at = timezone.now()
    with CaptureQueriesContext(connection) as asked:
        READS[what](hall, token)
    assert asked.captured_queries
    assert [scan for query in asked.captured_queries for scan in whole(query["sql"], LARGE)] == []


def test_the_question_can_be_answered_no() -> None:
    asked = str(Token.objects.filter(note="x").query).replace("= x", "= 'x'")
    assert whole(asked, LARGE)
