"""Who may do what with money: every call against every role, nobody, and the administrator of another hospital."""

from collections.abc import Callable
from itertools import count, product
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AccessAttempt, Permission
from billing.models import Drawer
from billing.tests.till import API, ECG, ROLES, Till, code, made

pytestmark = pytest.mark.django_db

ALWAYS = {"super-admin", "admin"}
SEES = {"billing-staff", "reception", "manager"}
BILLS = {"billing-staff", "reception"}
LESSENS = {"billing-staff", "manager"}
TAKES = {"billing-staff"}
LEDGER = {"manager"}
OVERSEES = {"manager"}

Body = dict[str, Any] | Callable[[Till, Any], dict[str, Any]]
references = count(1)


def card(till: Till, ids: Any) -> dict[str, Any]:
    """The body of a payment that needs no shift."""
    return {"method": "card", "amount": "10.00", "reference": f"T-{next(references)}"}


def bill(till: Till, ids: Any) -> dict[str, Any]:
    """The body of a bill."""
    return {"patient": ids["patient"], "lines": [ECG]}


def cheaper(till: Till, ids: Any) -> dict[str, Any]:
    """The body of a bill with a discount."""
    return {**bill(till, ids), "discount": "10%", "discount_reason": "Staff"}


# The call, its body (None: it is a GET), and who may beside those who may everything.
CALLS: list[tuple[str, Body | None, set[str]]] = [
    ("bills/", bill, BILLS),
    ("bills/", cheaper, {"billing-staff"}),
    ("bills/{bill}/", None, SEES),
    ("bills/{draft}/issue/", {}, BILLS),
    ("bills/{bill}/void/", {"reason": "Twice"}, LESSENS),
    ("bills/{bill}/credit/", {"amount": "5.00", "reason": "Too much"}, LESSENS),
    ("bills/{bill}/payments/", card, TAKES),
    ("bills/{over}/give-back/", {"reason": "Not given", "to_account": True}, TAKES),
    ("payments/{payment}/", None, SEES),
    ("payments/{payment}/refund/", {"amount": "1.00", "reason": "Not given", "to_account": True}, TAKES),
    (
        "payments/{payment}/refund/",
        {"amount": "1.00", "reason": "Not given", "to_account": True, "credit": True},
        TAKES,
    ),
    ("advances/", lambda till, ids: {"patient": ids["patient"], **card(till, ids)}, TAKES),
    ("advances/refund/", lambda till, ids: {"patient": ids["rich"], "amount": "1.00", "reason": "Asked"}, TAKES),
    ("accounts/?patient={patient}", None, SEES),
    ("receipts/{receipt}/", None, SEES),
    ("receipts/{receipt}/print/", {}, SEES),
    ("shifts/{shift}/", None, OVERSEES),
    ("shifts/{shift}/movements/", None, OVERSEES),
    ("shifts/{shift}/movements/", {"kind": "from_safe", "amount": "5.00"}, OVERSEES),
    ("shifts/{shift}/movements/", {"kind": "paid_out", "amount": "1.00", "reason": "Tea"}, OVERSEES),
    ("shifts/{shift}/close/", {"counted": "500.00"}, OVERSEES),
    ("prices/?facility={facility}", None, SEES),
    ("ledger/proof/?facility={facility}", None, LEDGER),
]
LISTS = {
    "bills/": SEES,
    "payments/": SEES,
    "refunds/": SEES,
    "receipts/": SEES,
    "accounts/": SEES,
    "shifts/": TAKES | OVERSEES,
    "ledger/entries/": LEDGER,
    "ledger/accounts/": LEDGER,
}


@pytest.fixture
def till() -> Till:
    return Till()


class Things(dict[str, Any]):
    """What a call is about, made when it is asked for by somebody who may everything."""

    def __init__(self, till: Till) -> None:
        super().__init__(facility=till.facility.pk)
        self.till = till

    def __missing__(self, name: str) -> Any:
        self[name] = getattr(self, f"make_{name}")()
        return self[name]

    def post(self, path: str, body: Any) -> Any:
        return made(self.till.post(path, body, role="admin"))

    def make_patient(self) -> int:
        return self.till.patient().pk

    def make_rich(self) -> int:
        self.post("advances/", {"patient": self["patient"], **card(self.till, self)})
        return self["patient"]

    def make_bill(self) -> int:
        return self.till.bill(role="admin")["id"]

    def make_draft(self) -> int:
        return self.till.bill(draft=True, role="admin")["id"]

    def make_paid(self) -> dict[str, Any]:
        return self.post(f"bills/{self['bill']}/payments/", card(self.till, self))

    def make_payment(self) -> int:
        return self["paid"]["id"]

    def make_receipt(self) -> int:
        return self["paid"]["receipt"]

    def make_over(self) -> int:
        bill = self.make_bill()
        self.post(f"bills/{bill}/payments/", card(self.till, self) | {"amount": "650.00"})
        self.post(f"bills/{bill}/credit/", {"amount": "50.00", "reason": "Not given"})
        return bill

    def make_shift(self) -> int:
        return shift_of(self.till)


def shift_of(till: Till) -> int:
    """The open shift of the administrator, who is somebody else than all who are tried."""
    current = till.get("shifts/current/", role="admin")
    return current.json()["id"] if current.status_code == 200 else till.open(role="admin")["id"]


def answer(client: APIClient, till: Till, ids: Things, path: str, body: Body | None) -> Any:
    """What a client is answered."""
    url = API + path.format_map(ids)
    if body is None:
        return client.get(url)
    return client.post(url, body(till, ids) if callable(body) else body, format="json")


def at_a_drawer(till: Till, role: str) -> None:
    """The open shift without which nobody gives money back."""
    Drawer.objects.create(facility=till.facility, name=f"Drawer of {role}")
    till.open(role=role)


def named(calls: list[tuple[str, Any, set[str]]]) -> list[Any]:
    return [pytest.param(*call, id=f"{index} {call[0]}") for index, call in enumerate(calls)]


@pytest.mark.parametrize(("path", "body", "allowed"), named(CALLS))
def test_who_may_do_it(till: Till, path: str, body: Body | None, allowed: set[str]) -> None:
    ids = Things(till)
    for role in sorted(ROLES, key=(allowed | ALWAYS).__contains__):  # what is refused leaves the things as they are
        if role in allowed | ALWAYS and path.endswith(("/refund/", "/give-back/")):
            at_a_drawer(till, role)
        given = answer(till.client(role), till, ids, path, body)
        if role in allowed | ALWAYS:
            ids = Things(till)
            assert given.status_code in (200, 201), (role, given.content)
        else:
            assert (given.status_code, code(given)) == (403, "permission_denied"), (role, given.content)
            assert given.json()["errors"][0]["needed"].startswith("billing.")


@pytest.mark.parametrize(("path", "body", "allowed"), named(CALLS))
def test_for_others_it_does_not_exist_and_nobody_does_it_without_signing_in(
    till: Till, path: str, body: Body | None, allowed: set[str]
) -> None:
    ids = Things(till)
    stranger = answer(Till(name="Other Hospital").client("admin"), till, ids, path, body)
    assert (stranger.status_code, code(stranger)) == (404, "not_found")
    assert answer(APIClient(), till, ids, path, body).status_code == 401


def test_who_reaches_for_the_money_of_another_hospital_is_recorded(till: Till) -> None:
    bill = till.bill()
    assert Till(name="Other Hospital").get(f"bills/{bill['id']}/").status_code == 404
    attempt = AccessAttempt.objects.get()
    assert (attempt.kind, attempt.object_id, attempt.facility) == ("billing.bill", bill["id"], till.facility)


def test_who_may_list_and_what(till: Till) -> None:
    ids = Things(till)
    assert all(ids[name] for name in ("payment", "rich", "shift"))
    other = Till(name="Other Hospital")
    for path, role in product(LISTS, ROLES):
        may = role in LISTS[path] | ALWAYS
        answers = till.get(path, role=role), other.get(path, role=role)
        assert {given.status_code for given in answers} == {200 if may else 403}, (path, role)
        if may:
            rows = answers[0].json()["results"]
            assert {row["facility"] for row in rows if "facility" in row} <= {till.facility.pk}
            assert answers[1].json()["count"] == 0
    assert {APIClient().get(API + path).status_code for path in LISTS} == {401}


def test_a_draft_is_changed_by_who_makes_bills(till: Till) -> None:
    draft = till.bill(draft=True)
    for role in ROLES:
        given = till.patch(f"bills/{draft['id']}/", {"lines": [ECG]}, role=role, HTTP_IF_MATCH="*")
        assert given.status_code == (200 if role in BILLS | ALWAYS else 403), role
    stranger = Till(name="Other Hospital").patch(f"bills/{draft['id']}/", {"lines": [ECG]}, HTTP_IF_MATCH="*")
    assert (stranger.status_code, code(stranger)) == (404, "not_found")


def test_a_shift_is_opened_by_who_takes_money(till: Till) -> None:
    for role in ROLES:
        given = till.post("shifts/", {"float": "100.00"}, role=role)
        if role in TAKES | ALWAYS:
            assert given.status_code == 201, role
            counted = {"counted": "100.00"}
            assert till.post(f"shifts/{given.json()['id']}/close/", counted, role=role).status_code == 200
        else:
            assert (given.status_code, code(given)) == (403, "permission_denied"), role
    elsewhere = Till(name="Other Hospital").post("shifts/", {"float": "1.00", "facility": till.facility.pk})
    assert (elsewhere.status_code, code(elsewhere)) == (404, "not_found")


def test_a_cashier_sees_the_own_shift_and_not_that_of_another(till: Till) -> None:
    mine, theirs = till.open(), till.open(role="admin")
    assert till.get(f"shifts/{mine['id']}/").status_code == 200
    assert [row["id"] for row in till.get("shifts/").json()["results"]] == [mine["id"]]
    refused = till.get(f"shifts/{theirs['id']}/")
    assert (refused.status_code, refused.json()["errors"][0]["needed"]) == (403, "billing.shifts")
    assert {row["id"] for row in till.get("shifts/", role="manager").json()["results"]} == {mine["id"], theirs["id"]}


def test_cash_is_carried_out_of_the_own_drawer_and_petty_cash_by_who_may_spend_it(till: Till) -> None:
    mine = till.open()
    tea = {"kind": "paid_out", "amount": "10.00", "reason": "Tea"}
    assert made(till.post(f"shifts/{mine['id']}/movements/", tea))["expected"] == "490.00"
    role = till.user("billing-staff").roles.get()
    role.permissions.remove(Permission.objects.get(code="billing.petty"))
    till.clients.clear()
    till.users["billing-staff"] = type(till.users["billing-staff"]).objects.get(pk=till.users["billing-staff"].pk)
    refused = till.post(f"shifts/{mine['id']}/movements/", tea)
    assert (refused.status_code, refused.json()["errors"][0]["needed"]) == (403, "billing.petty")
    assert till.post(f"shifts/{mine['id']}/movements/", {"kind": "to_safe", "amount": "90.00"}).status_code == 201


def test_nothing_is_replaced_or_deleted(till: Till) -> None:
    ids = Things(till)
    for path in (
        "bills/{bill}/",
        "payments/{payment}/",
        "receipts/{receipt}/",
        "shifts/{shift}/",
        "shifts/{shift}/movements/",
    ):
        for method in ("put", "delete"):
            assert getattr(till.client("admin"), method)(API + path.format_map(ids)).status_code == 405, path


def test_nothing_is_made_where_it_is_only_shown(till: Till) -> None:
    for path in ("payments/", "refunds/", "receipts/", "accounts/", "prices/", "ledger/entries/", "ledger/accounts/"):
        assert till.post(path, {}, role="admin").status_code == 405, path
