"""Nothing that the OpenAPI document allows (or forbids) about money brings the server down, or unbalances a ledger."""

from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from schemathesis import openapi

from billing.proof import prove
from billing.tests.till import Till
from tokens.tests.test_api_schema import MONEY, try_out

KNOWN = ("bills", "payments", "receipts", "shifts")


@pytest.fixture(scope="module")
def schema(django_db_setup: None, django_db_blocker: Any) -> Any:
    app = get_wsgi_application()
    # A request looks at the connection that an earlier test left open, though it asks nothing.
    with django_db_blocker.unblock():
        found = openapi.from_wsgi("/api/v1/schema/?format=json", app)
    return found.include(path_regex=MONEY)


@pytest.mark.django_db(transaction=True)  # a real request closes its connection
def test_no_request_that_can_be_made_up_is_a_server_error(schema: Any) -> None:
    till = Till()
    shift, bill = till.open(), till.bill()
    paid = till.paid(bill, "100.00")
    till.client("admin")
    bearer = till.clients["admin"]._credentials["HTTP_AUTHORIZATION"]  # type: ignore[attr-defined]
    ids = dict(zip(KNOWN, (bill["id"], paid["id"], paid["receipt"], shift["id"]), strict=True))
    tried = 0
    for operation in schema.get_all_operations():
        try_out(operation.ok(), bearer, {f"/{name}/": pk for name, pk in ids.items()})
        tried += 1
    assert tried > 25
    assert prove(till.facility).findings == ()
