"""Shifts, prices, the ledger and its proof through their real addresses."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.actions import give_role
from accounts.tests.factories import FacilityFactory, UserFactory, device_client
from billing.models import CashMovement, Drawer, LedgerEntry, Price, Shift, TaxRate
from billing.tests.till import API, Till, code, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Till:
    return Till()


def close(till: Till, shift: dict[str, Any], **body: Any) -> Any:
    return till.post(f"shifts/{shift['id']}/close/", body)


class TestShift:
    def test_current_is_404_until_one_is_opened(self, till: Till) -> None:
        none = till.get("shifts/current/")
        assert (none.status_code, code(none)) == (404, "not_found")
        shift = till.open(amount="500.00")
        assert till.get("shifts/current/").json() == shift
        assert (shift["float"], shift["currency"], shift["drawer_name"]) == ("500.00", "INR", "Drawer 1")
        assert (shift["closed_at"], shift["counted"], shift["difference"]) == (None, None, None)
        assert close(till, shift, counted="500.00").status_code == 200
        assert till.get("shifts/current/").status_code == 404

    def test_a_cashier_has_one_and_a_drawer_too(self, till: Till) -> None:
        first = till.open()
        again = till.post("shifts/", {"float": "1.00"})
        assert (again.status_code, code(again)) == (409, "shift_open")
        taken = till.post("shifts/", {"float": "1.00", "drawer": first["drawer"]}, role="admin")
        assert (taken.status_code, code(taken)) == (409, "drawer_taken")
        till.open(role="admin")
        none = till.post("shifts/", {"float": "1.00"}, role="super-admin")
        assert (none.status_code, code(none)) == (409, "no_drawer")

    def test_who_takes_money_in_two_houses_says_where(self, till: Till) -> None:
        other = Till(name="Other Hospital")
        farah = UserFactory(username="farah")
        for house in (till, other):
            give_role(user=farah, role="billing-staff", facility=house.facility)
        client = device_client(farah)
        unsaid = client.post(f"{API}shifts/", {"float": "1.00"}, format="json")
        assert (unsaid.status_code, unsaid.json()["errors"][0]["attr"]) == (400, "facility")
        opened = made(client.post(f"{API}shifts/", {"float": "1.00", "facility": other.facility.pk}, format="json"))
        assert opened["facility"] == other.facility.pk
        assert client.get(f"{API}shifts/current/").json() == opened

    def test_who_may_everywhere_opens_it_where_there_are_drawers(self, till: Till) -> None:
        elsewhere = FacilityFactory(name="Lakeside Clinic")
        client = device_client(UserFactory(username="chief", roles=["admin"]))
        opened = made(client.post(f"{API}shifts/", {"float": "1.00"}, format="json"))
        assert opened["facility"] == till.facility.pk
        assert client.post(f"{API}shifts/{opened['id']}/close/", {"counted": "1.00"}, format="json").status_code == 200
        there = Drawer.objects.create(facility=elsewhere, name="Drawer 1")
        unsaid = client.post(f"{API}shifts/", {"float": "1.00"}, format="json")
        assert (unsaid.status_code, unsaid.json()["errors"][0]["attr"]) == (400, "facility")
        body = {"float": "1.00", "drawer": there.pk}
        assert made(client.post(f"{API}shifts/", body, format="json"))["facility"] == elsewhere.pk

    def test_the_x_report_while_it_is_open_and_the_z_report_for_ever_after(self, till: Till) -> None:
        shift, bill = till.open(amount="500.00"), till.bill()
        cash = till.paid(bill, "300.00")
        till.paid(bill, "100.00", "card", reference="T-1")
        made(till.post(f"payments/{cash['id']}/refund/", {"amount": "20.00", "reason": "Too much"}))
        x = till.get(f"shifts/{shift['id']}/").json()
        assert (x["kind"], x["expected"], x["counted"]) == ("X", "780.00", None)
        assert (x["taken"], x["given"], x["net"], x["payments"], x["refunds"]) == ("400.00", "20.00", "380.00", 2, 1)
        assert [(row["method"], row["net"]) for row in x["methods"]] == [("cash", "280.00"), ("card", "100.00")]
        assert (x["receipts"], x["vouchers"]) == (2, 1)
        closed = close(till, shift, counted="775.00", reason="A torn note").json()
        assert (closed["expected"], closed["counted"], closed["difference"]) == ("780.00", "775.00", "-5.00")
        z = till.get(f"shifts/{shift['id']}/").json()
        assert (z["kind"], z["difference"], z["reason"], z["net"]) == ("Z", "-5.00", "A torn note", "380.00")

    def test_a_difference_has_a_reason(self, till: Till) -> None:
        shift = till.open(amount="500.00")
        refused = close(till, shift, counted="499.00")
        assert (refused.status_code, code(refused)) == (400, "difference_unexplained")
        assert refused.json()["errors"][0]["attr"] == "reason"
        assert Shift.objects.get().closed_at is None

    def test_it_is_counted_by_note_and_coin(self, till: Till) -> None:
        shift = till.open(amount="1250.00")
        closed = close(till, shift, counts={"500": 2, "100": 2, "50": 1}).json()
        assert (closed["counted"], closed["counts"], closed["difference"]) == (
            "1250.00",
            {"500": 2, "100": 2, "50": 1},
            "0.00",
        )

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"counted": None},
            {"counted": "-1.00"},
            {"counted": "NaN"},
            {"counted": "1.005"},
            {"counts": {}},
            {"counts": {"500": -1}},
            {"counts": {"x": 1}},
            {"counts": {"500": "many"}},
            {"counts": {"500": 10**9}},
            {"counts": {"3": 1}},
            {"counts": [500]},
            {"counts": {str(n): 1 for n in range(60)}},
            {"counts": {"500": 1}, "counted": "1.00"},
            {"counted": "500.00", "hand_to": 10**15},
            {"counted": "500.00", "hand_to": "x"},
            {"counted": "500.00", "reason": "x" * 301},
        ],
    )
    def test_what_is_no_count_is_refused(self, till: Till, body: dict[str, Any]) -> None:
        refused = close(till, till.open(), **body)
        assert refused.status_code == 400, refused.content
        assert code(refused)
        assert refused.json()["errors"][0]["attr"]
        assert Shift.objects.get().closed_at is None

    def test_it_is_closed_once(self, till: Till) -> None:
        shift = till.open()
        assert close(till, shift, counted="500.00").status_code == 200
        again = close(till, shift, counted="500.00")
        assert (again.status_code, code(again)) == (409, "shift_closed")

    def test_the_drawer_is_handed_over(self, till: Till) -> None:
        shift, farah = till.open(), till.user("admin")
        closed = close(till, shift, counted="500.00", hand_to=farah.pk, hand_float="300.00").json()
        goes_on = till.get("shifts/current/", role="admin").json()
        assert (goes_on["id"], goes_on["after"], goes_on["drawer"]) == (
            closed["handed_to"],
            shift["id"],
            shift["drawer"],
        )
        assert goes_on["float"] == "300.00"

    def test_lists(self, till: Till, django_assert_num_queries: Any) -> None:
        shift = till.open()
        close(till, shift, counted="500.00")
        now = till.open()
        assert [row["id"] for row in till.get("shifts/", open=True).json()["results"]] == [now["id"]]
        assert till.get("shifts/", date=shift["date"], cashier=shift["cashier"]).json()["count"] == 2
        with django_assert_num_queries(3):  # the device, the count, the page
            till.get("shifts/")
        with django_assert_num_queries(5):  # the device, the shift, what came and went, what was carried, receipts
            till.get(f"shifts/{now['id']}/")


class TestCashCarriedInAndOut:
    def move(self, till: Till, shift: dict[str, Any], kind: str, amount: str, reason: str = "", **headers: Any) -> Any:
        body = {"kind": kind, "amount": amount, "reason": reason}
        return till.post(f"shifts/{shift['id']}/movements/", body, **headers)

    def test_it_is_numbered_and_changes_what_is_expected_and_no_takings(self, till: Till) -> None:
        shift = till.open(amount="500.00")
        till.paid(till.bill(), "300.00")
        first = made(self.move(till, shift, "to_safe", "600.00"))
        assert (first["number"], first["expected"], first["shift"]) == (f"M-{till.year}-000001", "200.00", shift["id"])
        assert (first["kind"], first["amount"], first["drawer"]) == ("to_safe", "600.00", shift["drawer"])
        made(self.move(till, shift, "from_safe", "50.00", "Change"))
        made(self.move(till, shift, "paid_out", "35.50", "Courier"))
        made(self.move(till, shift, "came_back", "5.50", "It was cheaper"))
        now = till.get("shifts/current/").json()
        assert (now["expected"], now["cash_in"], now["cash_out"]) == ("220.00", "55.50", "635.50")
        x = till.get(f"shifts/{shift['id']}/").json()
        assert (x["expected"], x["cash_in"], x["cash_out"]) == ("220.00", "55.50", "635.50")
        assert (x["taken"], x["given"], x["net"]) == ("300.00", "0.00", "300.00")
        assert x["moved"] == [
            {"kind": "to_safe", "count": 1, "added": "-600.00"},
            {"kind": "from_safe", "count": 1, "added": "50.00"},
            {"kind": "paid_out", "count": 1, "added": "-35.50"},
            {"kind": "came_back", "count": 1, "added": "5.50"},
        ]
        closed = close(till, shift, counted="220.00").json()
        assert (closed["expected"], closed["difference"]) == ("220.00", "0.00")
        z = till.get(f"shifts/{shift['id']}/").json()
        assert (z["kind"], z["moved"], z["expected"]) == ("Z", x["moved"], "220.00")

    def test_the_list_has_the_newest_first(self, till: Till, django_assert_num_queries: Any) -> None:
        shift, other = till.open(), till.open(role="admin")
        for amount in ("10.00", "20.00"):
            made(self.move(till, shift, "to_safe", amount))
        made(self.move(till, other, "to_safe", "30.00", role="admin"))
        with django_assert_num_queries(3):  # the device, the shift, what was carried
            listed = till.get(f"shifts/{shift['id']}/movements/").json()
        assert (listed["count"], [row["amount"] for row in listed["results"]]) == (2, ["20.00", "10.00"])
        posted = till.get("ledger/entries/", role="manager", movement=listed["results"][0]["id"]).json()["results"]
        assert sorted((row["account_code"].partition(":")[0], row["amount"]) for row in posted) == [
            ("cash", "-20.00"),
            ("safe", "20.00"),
        ]
        assert {row["kind"] for row in posted} == {"movement"}

    def test_the_same_request_is_done_once(self, till: Till) -> None:
        shift = till.open()
        answers = [self.move(till, shift, "to_safe", "40.00", HTTP_IDEMPOTENCY_KEY="one").json() for _ in range(2)]
        assert answers[0] == answers[1]
        assert till.get("shifts/current/").json()["expected"] == "460.00"

    def test_not_more_than_the_drawer_holds_nor_out_of_a_closed_shift(self, till: Till) -> None:
        shift = till.open(amount="500.00")
        refused = self.move(till, shift, "to_safe", "500.01")
        assert (refused.status_code, code(refused)) == (409, "not_in_drawer")
        assert close(till, shift, counted="500.00").status_code == 200
        late = self.move(till, shift, "from_safe", "1.00")
        assert (late.status_code, code(late)) == (409, "shift_closed")

    @pytest.mark.parametrize(
        ("body", "at"),
        [
            ({"amount": "1.00"}, "kind"),
            ({"kind": "stolen", "amount": "1.00"}, "kind"),
            ({"kind": "to_safe"}, "amount"),
            ({"kind": "to_safe", "amount": "0.00"}, "amount"),
            ({"kind": "to_safe", "amount": "-1.00"}, "amount"),
            ({"kind": "to_safe", "amount": "1.005"}, "amount"),
            ({"kind": "to_safe", "amount": "NaN"}, "amount"),
            ({"kind": "paid_out", "amount": "1.00"}, "reason"),
            ({"kind": "came_back", "amount": "1.00", "reason": "  "}, "reason"),
            ({"kind": "paid_out", "amount": "1.00", "reason": "x" * 301}, "reason"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, till: Till, body: dict[str, Any], at: str) -> None:
        refused = till.post(f"shifts/{till.open()['id']}/movements/", body)
        assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, at)
        assert not CashMovement.objects.exists()


class TestPrices:
    @pytest.fixture
    def today(self, till: Till) -> date:
        return till.facility.local_date()

    def price(self, till: Till, code: str, amount: str, **more: Any) -> Price:
        row = {"name": code.title(), "item_type": "test", "valid_from": date(2020, 1, 1)} | more
        return Price.objects.create(facility=till.facility, code=code, amount=Decimal(amount), **row)

    def test_those_in_force_on_a_day(self, till: Till, today: date, django_assert_num_queries: Any) -> None:
        tax = TaxRate.objects.create(
            facility=till.facility, name="GST 12 %", percent=12, included=True, valid_from=date(2020, 1, 1)
        )
        yesterday = today - timedelta(days=1)
        old = self.price(till, "ecg", "600", valid_until=yesterday)
        new = self.price(till, "ecg", "650", valid_from=today, tax=tax, department=till.department)
        self.price(till, "bed", "2000", item_type="room")
        till.client()
        with django_assert_num_queries(4):  # the device, the facility, the count, the page
            listed = till.get("prices/", item_type="test").json()["results"]
        assert [row["id"] for row in listed] == [new.pk]
        assert (listed[0]["amount"], listed[0]["currency"], listed[0]["code"]) == ("650.00", "INR", "ecg")
        assert (listed[0]["tax"], listed[0]["tax_percent"], listed[0]["tax_included"]) == ("GST 12 %", "12.00", True)
        assert listed[0]["department"] == till.department.pk
        before = till.get("prices/", item_type="test", on=yesterday).json()["results"]
        assert [(row["id"], row["valid_until"]) for row in before] == [(old.pk, yesterday.isoformat())]

    def test_who_sees_several_houses_sees_their_prices_together(self, till: Till) -> None:
        other = FacilityFactory(name="Island Clinic", currency="USD")
        self.price(till, "ecg", "600")
        Price.objects.create(
            facility=other, code="ecg", name="ECG", item_type="test", amount=30, valid_from=date(2020, 1, 1)
        )
        client = device_client(UserFactory(username="chief", roles=["admin"]))
        listed = client.get(f"{API}prices/").json()["results"]
        assert {(row["facility"], row["currency"], row["amount"]) for row in listed} == {
            (till.facility.pk, "INR", "600.00"),
            (other.pk, "USD", "30.00"),
        }
        assert client.get(f"{API}prices/", {"facility": other.pk}).json()["count"] == 1

    def test_a_search(self, till: Till) -> None:
        self.price(till, "ecg", "600")
        self.price(till, "x-ray", "900")
        assert [row["code"] for row in till.get("prices/", search="X-R").json()["results"]] == ["x-ray"]

    @pytest.mark.parametrize("query", ["on=soon", "on=2026-02-30", "facility=x", "facility=0", "search=%00"])
    def test_what_makes_no_sense_is_400(self, till: Till, query: str) -> None:
        refused = till.client().get(f"{API}prices/?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, query.partition("=")[0])


class TestLedger:
    def test_every_transaction_sums_to_zero(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        paid = till.paid(bill, "300.00")
        entries = till.get("ledger/entries/", role="manager", bill=bill["id"]).json()["results"]
        sums: dict[int, Decimal] = {}
        for entry in entries:
            sums[entry["transaction"]] = sums.get(entry["transaction"], Decimal(0)) + Decimal(entry["amount"])
        assert set(sums.values()) == {Decimal(0)}
        assert {entry["kind"] for entry in entries} == {"issue", "payment"}
        assert {entry["bill_number"] for entry in entries} == {bill["number"]}
        of_payment = till.get("ledger/entries/", role="manager", payment=paid["id"]).json()["results"]
        assert sorted(entry["amount"] for entry in of_payment) == ["-300.00", "300.00"]

    def test_it_is_narrowed_by_account_and_day(self, till: Till, django_assert_num_queries: Any) -> None:
        bill, shift = till.bill(), till.open()
        till.paid(bill, "300.00")
        [cash] = till.get("ledger/accounts/", role="manager", kind="cash").json()["results"]
        on = {"role": "manager", "account": cash["id"]}
        with django_assert_num_queries(3):  # the device, the count, the page
            amounts = [entry["amount"] for entry in till.get("ledger/entries/", **on).json()["results"]]
        assert amounts == ["300.00", "500.00"]
        assert till.get("ledger/entries/", **on, date_from=bill["date"], date_to=bill["date"]).json()["count"] == 2
        tomorrow = date.fromisoformat(bill["date"]) + timedelta(days=1)
        assert till.get("ledger/entries/", **on, date_from=tomorrow).json()["count"] == 0
        assert till.get("ledger/entries/", role="manager", shift=shift["id"], kind="float").json()["count"] == 2

    def test_balances_are_the_sums_of_entries(self, till: Till, django_assert_num_queries: Any) -> None:
        bill, _ = till.bill(), till.open(amount="500.00")
        till.paid(bill, "300.00")
        till.client("manager")
        with django_assert_num_queries(3):  # the device, the count, the page
            listed = till.get("ledger/accounts/", role="manager").json()["results"]
        balances = {row["code"].partition(":")[0]: row["balance"] for row in listed}
        assert balances == {"cash": "800.00", "receivable": "350.00", "revenue": "-650.00", "safe": "-500.00"}
        assert sum(Decimal(row["balance"]) for row in listed) == 0
        before = date.fromisoformat(bill["date"]) - timedelta(days=1)
        earlier = till.get("ledger/accounts/", role="manager", until=before).json()["results"]
        assert {row["balance"] for row in earlier} == {"0.00"}

    def test_the_proof(self, till: Till) -> None:
        bill, _ = till.bill(), till.open()
        till.paid(bill, "300.00")
        proof = till.get("ledger/proof/", role="manager").json()
        assert (proof["balanced"], proof["difference"], proof["findings"]) == (True, "0.00", [])
        [one] = proof["facilities"]
        assert (one["facility"], one["currency"], one["balanced"]) == (till.facility.pk, "INR", True)
        assert (one["debits"], one["credits"], one["transactions"]) == ("1450.00", "1450.00", 3)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("DELETE FROM billing_ledgerentry WHERE id = %s", [LedgerEntry.objects.earliest("id").pk])
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        broken = till.get("ledger/proof/", role="manager").json()
        assert broken["balanced"] is False
        assert Decimal(broken["difference"]) > 0
        assert all(finding["code"] and finding["says"] for finding in broken["findings"])
        assert set(broken["facilities"][0]["counts"]) == {finding["code"] for finding in broken["findings"]}

    def test_who_sees_several_houses_proves_them_all(self, till: Till) -> None:
        other = Till(name="Other Hospital")
        for house in (till, other):
            house.bill()
        client = device_client(UserFactory(username="chief", roles=["admin"]))
        proof = client.get(f"{API}ledger/proof/").json()
        assert (proof["balanced"], proof["difference"], proof["currency"]) == (True, "0.00", "INR")
        assert {one["facility"] for one in proof["facilities"]} == {till.facility.pk, other.facility.pk}
        asked = client.get(f"{API}ledger/proof/", {"facility": other.facility.pk}).json()
        assert [one["facility"] for one in asked["facilities"]] == [other.facility.pk]
