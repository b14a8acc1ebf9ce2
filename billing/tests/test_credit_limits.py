"""Credit notes stay within the limit of whoever writes them, as discounts do; a role without a limit has none."""

from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from accounts.actions import give_role
from accounts.errors import PermissionDenied
from accounts.models import Permission, Role, User
from accounts.tests.factories import FacilityFactory, RoleFactory, UserFactory
from billing.credit_limits import credit_limit
from billing.errors import CreditLimitPassed, CreditTooLarge
from billing.models import CreditLimit, CreditNote, DiscountLimit
from billing.tests.house import House
from billing.tests.till import Till, code, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    house = House()
    house.open()
    return house


@pytest.fixture
def cashier(house: House) -> User:
    """Somebody who may take off 20 %."""
    limit("billing-staff", 20)
    return house.person("billing-staff")


def limit(slug: str, percent: int | str) -> CreditLimit:
    """A role's limit."""
    return CreditLimit.objects.create(role=Role.objects.get(slug=slug), percent=Decimal(percent))


class TestOnABill:
    @pytest.mark.parametrize(("amount", "allowed"), [("20", True), ("20.01", False), ("100", False)])
    def test_whoever_writes_one_stays_within_the_limit_of_the_role(
        self, house: House, cashier: User, amount: str, allowed: bool
    ) -> None:
        bill = house.bill("60", "40")
        if allowed:
            assert house.credit(bill, amount, by=cashier).amount == 20
        else:
            with pytest.raises(CreditLimitPassed) as refused:
                house.credit(bill, amount, by=cashier)
            assert (refused.value.code, refused.value.status, refused.value.attr) == ("credit_limit", 403, "amount")
            assert str(refused.value) == (
                f"You may take up to 20 % off a bill by credit notes; this makes {amount} % of B-2031-000001."
            )
            assert not CreditNote.objects.exists()

    def test_what_people_took_off_before_counts_whoever_they_were(self, house: House, cashier: User) -> None:
        bill = house.bill("100")
        house.credit(bill, "15")
        house.credit(bill, "5", by=cashier)
        with pytest.raises(CreditLimitPassed):
            house.credit(bill, "0.01", by=cashier)
        house.credit(bill, "10", by=house.person("manager"))

    def test_what_a_rule_took_off_counts_for_nobody(self, house: House, cashier: User) -> None:
        bill = house.bill("100")
        house.credit(bill, "50", by=None)
        house.credit(bill, "20", by=cashier)
        with pytest.raises(CreditLimitPassed):
            house.credit(bill, "0.01", by=cashier)

    @pytest.mark.parametrize(("total", "most"), [("83.35", "16.67"), ("83.33", "16.67"), ("83.32", "16.66")])
    def test_a_percentage_is_of_the_total_to_the_cent_half_up(
        self, house: House, cashier: User, total: str, most: str
    ) -> None:
        bill = house.bill(total)
        with pytest.raises(CreditLimitPassed):
            house.credit(bill, Decimal(most) + Decimal("0.01"), by=cashier)
        house.credit(bill, most, by=cashier)

    def test_within_an_unlimited_role_it_is_at_most_what_is_left(self, house: House) -> None:
        bill = house.bill("100")
        with pytest.raises(CreditTooLarge):
            house.credit(bill, "100.01")
        house.credit(bill, "100")

    def test_with_a_refund_too_and_then_nothing_is_given_back(self, house: House, cashier: User) -> None:
        house.open(cashier, drawer=1)
        bill = house.bill("100")
        house.pay(bill, "100")
        [payment] = house.payments(bill)
        with pytest.raises(CreditLimitPassed):
            house.refund(payment, "20.01", credit=True, by=cashier)
        assert (house.due(bill), house.paid(bill)) == (0, 100)
        house.refund(payment, "20", credit=True, by=cashier)
        house.refund(payment, "80", by=cashier)  # the bill asks for it again: nothing is taken off
        assert (house.due(bill), house.paid(bill)) == (80, 0)

    def test_taking_a_whole_bill_back_is_another_right_without_a_limit(self, house: House, cashier: User) -> None:
        house.open(cashier, drawer=1)
        bill = house.bill("100")
        house.pay(bill, "100", by=cashier)
        house.refund(house.payments(bill)[0], "100", by=cashier)
        house.void(bill, by=cashier)
        assert (house.status(bill), CreditNote.objects.count()) == ("void", 0)

    def test_without_the_permission_no_limit_helps(self, house: House) -> None:
        limit("reception", 50)
        with pytest.raises(PermissionDenied):
            house.credit(house.bill("100"), "1", by=house.person("reception"))


class TestInANewHospital:
    """What may not be given away may not be taken off afterwards either."""

    def test_cashiers_and_managers_begin_with_what_they_may_give_away(self) -> None:
        given = dict(DiscountLimit.objects.values_list("role__slug", "percent"))
        taken = dict(CreditLimit.objects.values_list("role__slug", "percent"))
        assert taken == {"billing-staff": 10, "manager": 50}
        assert taken.items() <= given.items()

    def test_one_that_is_running_keeps_what_it_has(self) -> None:
        step = import_module("billing.migrations.0012_first_credit_limits")
        CreditLimit.objects.all().delete()
        facility = FacilityFactory(name="Lakeside")
        step.give_limits(apps, None)
        assert not CreditLimit.objects.exists()
        assert credit_limit(UserFactory(roles=["billing-staff"], facility=facility), facility.pk) is None


class TestWhose:
    def test_a_role_without_a_limit_has_none_as_before_there_were_limits(self, house: House) -> None:
        assert not CreditLimit.objects.exists()
        for role in ("billing-staff", "manager", "admin"):
            assert credit_limit(house.person(role), house.facility.pk) is None

    def test_the_widest_of_the_roles_that_allow_it_are_held_here_and_are_on(self, house: House) -> None:
        here, person = house.facility.pk, UserFactory(username="lalita")
        for slug, percent in (("billing-staff", 10), ("manager", 50), ("reception", 90)):
            limit(slug, percent)
        give_role(user=person, role="billing-staff")
        assert credit_limit(person, here) == 10
        give_role(user=person, role="reception", facility=house.facility)  # which allows no credit notes
        assert credit_limit(person, here) == 10
        give_role(user=person, role="manager", facility=FacilityFactory(name="Lakeside"))
        assert credit_limit(person, here) == 10
        give_role(user=person, role="manager", facility=house.facility)
        assert credit_limit(person, here) == 50
        wide = RoleFactory(slug="wide")
        wide.permissions.set(Permission.objects.filter(code="billing.credit"))
        give_role(user=person, role="wide", facility=house.facility)
        assert credit_limit(person, here) is None
        Role.objects.filter(pk=wide.pk).update(is_active=False)
        assert credit_limit(person, here) == 50

    def test_a_role_that_does_not_allow_it_widens_nothing(self, house: House, cashier: User) -> None:
        give_role(user=cashier, role="reception", facility=house.facility)
        assert credit_limit(cashier, house.facility.pk) == 20

    def test_the_clinic_itself_and_who_holds_everything_have_no_limit(self, house: House, cashier: User) -> None:
        assert credit_limit(None, house.facility.pk) is None
        assert credit_limit(User.objects.create_superuser("root"), house.facility.pk) is None

    def test_none_at_all_is_a_limit_too(self, house: House) -> None:
        limit("billing-staff", 0)
        with pytest.raises(CreditLimitPassed):
            house.credit(house.bill("100"), "0.01", by=house.person("billing-staff"))


class TestOverRest:
    @pytest.mark.parametrize("path", ["bills/{bill}/credit/", "payments/{payment}/refund/"])
    def test_it_is_refused_with_the_limit_and_what_it_would_be(self, path: str) -> None:
        till, facts = Till(), {"limit": "20", "percent": "30.77"}
        limit("billing-staff", 20)
        bill, _ = till.bill(), till.open()
        ids: dict[str, Any] = {"bill": bill["id"], "payment": till.paid(bill, "650.00")["id"]}
        asked = {"amount": "200.00", "reason": "Not given"} | ({"credit": True} if "payment" in path else {})
        refused = till.post(path.format_map(ids), asked)
        assert (refused.status_code, code(refused)) == (403, "credit_limit")
        said = refused.json()["errors"][0]
        assert {name: said[name] for name in facts} == facts
        made(till.post(path.format_map(ids), asked | {"amount": "130.00"}))
