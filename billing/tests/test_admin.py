"""Money in the admin: what is set up is changed there, what moved money is only looked at."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as site
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from accounts.tests.factories import UserFactory
from billing import models
from billing.actions.proofs import run_proof
from billing.models import BillingSettings, CreditLimit, DiscountLimit, Drawer, Price, TaxRate
from billing.tests.till import Till, made

pytestmark = pytest.mark.django_db

LIMITS = {"discountlimit", "creditlimit"}
SETUP = {"billingsettings", "taxrate", "price", "drawer", *LIMITS}
REGISTERED = sorted(model._meta.model_name for model in site.site._registry if model._meta.app_label == "billing")
SHOWN = [name for name in REGISTERED if name not in SETUP and not name.endswith("event")]
LEDGER = ("ledgeraccount", "ledgertransaction", "ledgerentry", "proofrun")


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def page(client: Client, till: Till) -> Client:
    """The browser of the hospital's manager."""
    client.force_login(till.user("manager"))
    return client


@pytest.fixture
def moved(till: Till) -> Till:
    """A till through which money went in all ways, so that every table has a row."""
    till.open(role="admin")
    bill = till.bill(role="admin")
    admin = {"role": "admin"}
    paid = made(
        till.post(f"bills/{bill['id']}/payments/", {"method": "cash", "amount": "700.00", "keep_rest": True}, **admin)
    )
    refund = {"amount": "50.00", "reason": "Not given", "credit": True}
    made(till.post(f"payments/{paid['id']}/refund/", refund, **admin))
    made(till.post(f"receipts/{paid['receipt']}/print/", **admin))
    shift = till.get("shifts/current/", role="admin").json()
    made(till.post(f"shifts/{shift['id']}/movements/", {"kind": "to_safe", "amount": "100.00"}, **admin))
    run_proof(facility_id=till.facility.pk)
    return till


def address(model: str, view: str, *args: Any) -> str:
    return reverse(f"admin:billing_{model}_{view}", args=args)


def errors(answer: Any) -> str:
    """What the form says is wrong."""
    assert answer.status_code == 200
    return str(answer.context["adminform"].form.errors)


def test_every_table_of_money_is_here() -> None:
    models_here = apps.get_app_config("billing").get_models()
    tables = {model._meta.model_name for model in models_here if not model._meta.proxy}
    parts = {"line", "creditline", "receiptprint"}
    hidden = {name for name in tables if name.endswith("event")} - set(REGISTERED)
    assert tables - parts - hidden == set(REGISTERED)
    assert not hidden


class TestShown:
    @pytest.mark.parametrize("model", SHOWN)
    def test_it_is_listed_found_and_shown_and_nothing_more(self, page: Client, moved: Till, model: str) -> None:
        row = apps.get_model("billing", model).objects.latest("pk")
        assert page.get(address(model, "changelist")).status_code == 200
        assert page.get(address(model, "changelist"), {"q": "B-2026"}).status_code == 200
        assert page.get(address(model, "change", row.pk)).status_code == 200
        assert page.get(address(model, "add")).status_code == 403
        for view in ("change", "delete"):
            assert page.post(address(model, view, row.pk), {"post": "yes", "status": "void"}).status_code == 403
        page.post(address(model, "changelist"), {"action": "delete_selected", "_selected_action": row.pk})
        assert type(row).objects.filter(pk=row.pk).values().get() == type(row).objects.values().get(pk=row.pk)

    @pytest.mark.parametrize("model", SHOWN)
    def test_its_list_costs_the_same_however_long_it_is(
        self, page: Client, moved: Till, model: str, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(3):
            bill = moved.bill(role="admin")
            made(moved.post(f"bills/{bill['id']}/payments/", {"method": "cash", "amount": "9.00"}, role="admin"))
        with django_assert_max_num_queries(10):
            assert page.get(address(model, "changelist")).status_code == 200

    def test_a_bill_shows_its_lines_payments_credits_and_postings(self, page: Client, moved: Till) -> None:
        shown = page.get(address("bill", "change", models.Bill.objects.get().pk)).content.decode()
        for text in (f"B-{moved.year}-000001", "Due", "ECG", "650.00", "Not given", "R-", "V-", "C-", "Bill issued"):
            assert text in shown

    def test_a_shift_shows_what_was_carried_out_of_its_drawer(self, page: Client, moved: Till) -> None:
        shown = page.get(address("shift", "change", models.Shift.objects.get().pk)).content.decode()
        assert f"M-{moved.year}-000001" in shown
        assert "To the safe" in shown

    def test_a_transaction_shows_its_entries(self, page: Client, moved: Till) -> None:
        row = models.LedgerTransaction.objects.filter(kind="issue").get()
        shown = page.get(address("ledgertransaction", "change", row.pk)).content.decode()
        assert "Receivable" in shown
        assert "-650.00" in shown

    @pytest.mark.parametrize("model", [name for name in REGISTERED if name not in LIMITS])
    def test_another_hospital_s_rows_are_neither_listed_nor_shown(
        self, client: Client, moved: Till, model: str
    ) -> None:
        other = Till(name="Other Hospital")
        client.force_login(other.user("manager"))
        for row in apps.get_model("billing", model).objects.order_by("pk"):
            if getattr(row, "facility_id", moved.facility.pk) == moved.facility.pk and not model.endswith("event"):
                assert client.get(address(model, "change", row.pk)).status_code == 302
        listed = client.get(address(model, "changelist"))
        assert "Sunrise" not in listed.content.decode()

    def test_the_ledger_is_for_who_may_see_it(self, client: Client, moved: Till) -> None:
        seer = role_of(moved, "seer", "admin.enter", "billing.view")
        client.force_login(seer)
        assert client.get(address("bill", "changelist")).status_code == 200
        for model in (*LEDGER, "shift", "cashmovement"):
            assert client.get(address(model, "changelist")).status_code == 403
        assert client.get(address("price", "add")).status_code == 403
        drawer = moved.drawers[0].pk
        assert client.post(address("drawer", "change", drawer), {"name": "X"}).status_code == 403

    def test_who_sees_no_money_sees_none_here(self, client: Client, moved: Till) -> None:
        client.force_login(role_of(moved, "nobody", "admin.enter"))
        for model in REGISTERED:
            assert client.get(address(model, "changelist")).status_code == 403, model


class TestSetup:
    def test_the_rules_of_a_house(self, page: Client, till: Till) -> None:
        rules = {
            "address": "MG Road 1", "tax_number": "GSTIN 29X", "receipt_note": "Thank you.", "priority_fee": "300.00",
            "follow_up_free_days": 5, "hospital_fee_once": "on", "refund_full_hours": 4, "refund_later_percent": "25",
            "when_displaced": "credit", "denominations": "100,0.50,500,100",
        }  # fmt: skip
        assert page.get(address("billingsettings", "change", till.facility.pk)).status_code == 200
        assert page.post(address("billingsettings", "change", till.facility.pk), rules).status_code == 302
        kept = BillingSettings.objects.get()
        assert (kept.priority_fee, kept.refund_later_percent, kept.follow_up_free_days) == (300, 25, 5)
        assert kept.denominations == [500, 100, Decimal("0.50")]
        wrong = page.post(address("billingsettings", "change", till.facility.pk), rules | {"refund_later_percent": 101})
        assert "refund_later_percent" in errors(wrong)
        for nothing in ("500,0", "500,-1", "x", ""):
            refused = page.post(
                address("billingsettings", "change", till.facility.pk), rules | {"denominations": nothing}
            )
            assert "denominations" in errors(refused)

    def test_a_price_ends_and_another_begins(self, page: Client, till: Till) -> None:
        today = till.facility.local_date()
        ecg = {"facility": till.facility.pk, "code": "ecg", "name": "ECG", "item_type": "test", "amount": "600.00"}
        first = ecg | {"valid_from": today - timedelta(days=30), "department": till.department.pk}
        assert page.post(address("price", "add"), first).status_code == 302
        old = Price.objects.get()
        assert "another price in these days" in errors(page.post(address("price", "add"), ecg | {"valid_from": today}))
        until = {"name": "ECG", "item_type": "test", "valid_until": today - timedelta(days=1), "amount": "1.00"}
        assert page.post(address("price", "change", old.pk), until).status_code == 302
        assert page.post(address("price", "add"), ecg | {"amount": "650.00", "valid_from": today}).status_code == 302
        kept = Price.objects.order_by("valid_from").values_list("amount", "code", "valid_until")
        assert list(kept) == [(600, "ecg", today - timedelta(days=1)), (650, "ecg", None)]
        over = {"name": "ECG", "item_type": "test", "valid_until": ""}
        assert "another price in these days" in errors(page.post(address("price", "change", old.pk), over))

    def test_a_price_that_is_not_in_force_yet_can_still_be_changed(self, page: Client, till: Till) -> None:
        ahead = till.facility.local_date() + timedelta(days=9)
        row = Price.objects.create(
            facility=till.facility, code="ecg", name="ECG", item_type="test", amount=600, valid_from=ahead
        )
        changed = {"name": "ECG", "item_type": "test", "amount": "700.00", "valid_from": ahead}
        assert page.post(address("price", "change", row.pk), changed).status_code == 302
        row.refresh_from_db()
        assert row.amount == 700

    def test_department_and_tax_belong_to_the_same_house(self, page: Client, till: Till) -> None:
        other = Till(name="Other Hospital")
        tax = TaxRate.objects.create(facility=other.facility, name="GST", percent=5, valid_from=date(2026, 1, 1))
        price = {
            "facility": till.facility.pk, "code": "ecg", "name": "ECG", "item_type": "test", "amount": "600.00",
            "valid_from": "2026-01-01",
        }  # fmt: skip
        for wrong in ({"department": other.department.pk}, {"tax": tax.pk}, {"facility": other.facility.pk}):
            assert next(iter(wrong)) in errors(page.post(address("price", "add"), price | wrong))
        page.logout()
        both = UserFactory(username="both", roles=["admin"])
        page.force_login(both)
        for wrong in ({"department": other.department.pk}, {"tax": tax.pk}):
            said = errors(page.post(address("price", "add"), price | wrong))
            assert "another facility" in said
        assert not Price.objects.exists()

    @pytest.mark.parametrize(
        "wrong", [{"percent": "-1"}, {"percent": "101"}, {"percent": "x"}, {"valid_until": "2025-01-01"}]
    )
    def test_a_tax(self, page: Client, till: Till, wrong: dict[str, str]) -> None:
        tax = {"facility": till.facility.pk, "name": "GST 12 %", "percent": "12", "valid_from": "2026-01-01"}
        assert errors(page.post(address("taxrate", "add"), tax | wrong))
        assert page.post(address("taxrate", "add"), tax).status_code == 302
        kept = TaxRate.objects.get()
        assert page.post(address("taxrate", "change", kept.pk), {"name": "GST", "percent": "18"}).status_code == 302
        kept.refresh_from_db()
        assert (kept.name, kept.percent) == ("GST", 12)

    def test_a_drawer_is_made_and_switched_off_and_never_deleted(self, page: Client, till: Till) -> None:
        new = {"facility": till.facility.pk, "name": "Drawer 3", "is_active": "on"}
        assert page.post(address("drawer", "add"), new).status_code == 302
        row = Drawer.objects.get(name="Drawer 3")
        assert "drawer of this name" in errors(page.post(address("drawer", "add"), new))
        assert page.post(address("drawer", "change", row.pk), {"name": "Drawer 3"}).status_code == 302
        row.refresh_from_db()
        assert row.is_active is False
        for model in sorted(SETUP - LIMITS):
            for each in apps.get_model("billing", model).objects.all():
                assert page.post(address(model, "delete", each.pk), {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize("model", [DiscountLimit, CreditLimit])
    def test_a_limit_belongs_to_a_role_in_every_house(
        self, page: Client, till: Till, model: type[DiscountLimit | CreditLimit]
    ) -> None:
        name, role = model._meta.model_name or "", Role.objects.get(slug="billing-staff")
        limit, _ = model.objects.get_or_create(role=role, defaults={"percent": 20})
        assert page.get(address(name, "change", limit.pk)).status_code == 200
        assert page.post(address(name, "change", limit.pk), {"percent": "99"}).status_code == 403
        page.force_login(UserFactory(username="chief", roles=["admin"]))
        assert page.post(address(name, "change", limit.pk), {"percent": "101"}).status_code == 200
        assert page.post(address(name, "change", limit.pk), {"percent": "30"}).status_code == 302
        limit.refresh_from_db()
        assert limit.percent == 30
        role = Role.objects.get(slug="doctor")
        assert page.post(address(name, "add"), {"role": role.pk, "percent": "5"}).status_code == 302
        listed = page.get(address(f"{name}event", "changelist"))
        assert listed.status_code == 200
        assert page.post(address(name, "delete", role.pk), {"post": "yes"}).status_code == 302
        assert not model.objects.filter(role=role).exists()

    def test_what_changed_and_by_whom_is_kept(self, page: Client, till: Till) -> None:
        page.post(address("drawer", "change", till.drawers[0].pk), {"name": "Front desk", "is_active": "on"})
        listed = page.get(address("drawerevent", "changelist"))
        assert listed.status_code == 200
        assert str(till.user("manager")) in listed.content.decode()

    @pytest.mark.parametrize("model", sorted(SETUP))
    def test_every_page_opens(self, page: Client, till: Till, model: str) -> None:
        page.force_login(UserFactory(username="chief", roles=["admin"]))
        for view in ("changelist", "add"):
            assert page.get(address(model, view)).status_code == 200
        assert page.get(address(model, "changelist"), {"q": "x"}).status_code == 200

    def test_another_house_is_not_offered(self, page: Client, till: Till) -> None:
        Till(name="Other Hospital")
        for model in sorted(SETUP - LIMITS):
            assert "Other Hospital" not in page.get(address(model, "add")).content.decode()


def role_of(till: Till, name: str, *codes: str) -> Any:
    """Somebody of this house with a role that allows just this."""
    from accounts.models import Permission

    role = Role.objects.create(name=name, slug=name)
    role.permissions.set(Permission.objects.filter(code__in=codes))
    return UserFactory(username=name, roles=[name], facility=till.facility)
