"""The OpenAPI document is made without a warning, and nothing that it allows (or forbids) brings the server down."""

from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from tokens.tests.hall import Hall

# Streams never end, playing a day takes long, and signing out ends the sign-in.
LEFT_OUT = "/stream/|/simulations/|/auth/|/schema/|/docs/"
# Swept beside billing's own rows.
MONEY = "/bills/|/payments/|/refunds/|/advances/|/accounts/|/receipts/|/shifts/|/prices/|/ledger/"


def test_the_document_is_made_without_a_warning() -> None:
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    for address in ("/tokens/emergency/:", "/sessions/{id}/stream/:", "/board/:", "/plans/{id}/undo/:"):
        assert f"/api/v1{address}" in out.getvalue()


@pytest.fixture(scope="module")
def schema(django_db_setup: None, django_db_blocker: Any) -> Any:
    app = get_wsgi_application()
    # A request looks at the connection that an earlier test left open, though it asks nothing.
    with django_db_blocker.unblock():
        found = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", app)
    return found.exclude(path_regex=f"{LEFT_OUT}|{MONEY}")


@pytest.mark.django_db(transaction=True)  # a real request closes its connection
def test_no_request_that_can_be_made_up_is_a_server_error(schema: Any) -> None:
    hall = Hall()
    token = hall.give("walk_in")
    hall.client("admin")
    bearer = hall.clients["admin"]._credentials["HTTP_AUTHORIZATION"]  # type: ignore[attr-defined]
    known = {"/tokens/": token["id"], "/slots/": hall.slots[0].pk, "/sessions/": hall.session.pk}
    for operation in schema.get_all_operations():
        try_out(operation.ok(), bearer, known)


def try_out(operation: Any, bearer: str, known: dict[str, int]) -> None:
    """A few requests to one address, half of them to things that are there."""

    @settings(
        max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None
    )
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        for part, pk in known.items():
            if part in case.path and "id" in (case.path_parameters or {}):
                case.path_parameters["id"] = pk
        case.call_and_validate(headers={"Authorization": bearer}, checks=[not_a_server_error])

    attempt()
