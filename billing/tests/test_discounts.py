"""Discounts: on lines and bills, with a reason, and within the limit of whoever gives them."""

from decimal import Decimal

import pytest

from accounts.actions import give_role
from accounts.errors import PermissionDenied
from accounts.models import Role, User
from accounts.tests.factories import RoleFactory, UserFactory
from billing import errors
from billing.discounts import discount_limit
from billing.models import Bill, DiscountLimit
from billing.rules import LineIn, Off
from billing.tests.house import House, lines

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def get(bill_id: int) -> Bill:
    return Bill.objects.get(pk=bill_id)


def test_a_discount_on_the_bill_stands_on_its_lines_with_its_reason(house: House) -> None:
    own = LineIn("B", Decimal(50), off=Off.parse("10.00"), discount_reason="Damaged")
    bill = get(house.bill(lines=[*lines("100"), own], discount=Off.parse("10%"), discount_reason="Staff"))
    one, other = bill.lines.all()
    assert (one.discount, one.discount_reason) == (10, "Staff")
    assert (other.discount, other.discount_reason) == (14, "Damaged; Staff")
    assert (bill.gross, bill.discount, bill.total) == (150, 24, 126)


@pytest.mark.parametrize(("off", "allowed"), [("10%", True), ("10.00", True), ("10.01%", False), ("10.01", False)])
def test_whoever_gives_one_stays_within_the_limit_of_the_role(house: House, off: str, allowed: bool) -> None:
    cashier = house.person("billing-staff")
    given = {"discount": Off.parse(off), "discount_reason": "Hardship", "by": cashier}
    if allowed:
        assert get(house.bill("100", **given)).discount == 10
    else:
        with pytest.raises(errors.DiscountLimitPassed) as refusal:
            house.bill("100", **given)
        assert (refusal.value.code, refusal.value.status) == ("discount_limit", 403)
        assert str(refusal.value) == "You may give away up to 10 % of a bill; this is 10.01 %."


@pytest.mark.parametrize("prices", [("83.35",), ("0.05",), ("83.35", "41.65", "0.15")])
def test_a_percentage_within_the_limit_is_not_refused_for_the_cent_it_was_rounded_up_by(
    house: House, prices: tuple[str, ...]
) -> None:
    some = [LineIn("A", Decimal(price), off=Off.parse("10%"), discount_reason="Hardship") for price in prices]
    bill = get(house.bill(lines=some, by=house.person("billing-staff")))
    assert bill.discount > bill.gross / 10


def test_discounts_on_lines_count_together_against_the_whole_bill(house: House) -> None:
    cashier = house.person("billing-staff")
    free = LineIn("Card", Decimal(10), off=Off.parse("100%"), discount_reason="Lost by us")
    assert get(house.bill(lines=[*lines("90"), free], by=cashier)).discount == 10
    with pytest.raises(errors.DiscountLimitPassed):
        house.bill(lines=[*lines("89"), free], by=cashier)


def test_without_the_permission_no_limit_helps(house: House) -> None:
    DiscountLimit.objects.create(role=Role.objects.get(slug="reception"), percent=50)
    with pytest.raises(PermissionDenied):
        house.bill("100", discount=Off.parse("1%"), discount_reason="x", by=house.person("reception"))


def test_a_rule_of_the_facility_asks_nobody_s_limit(house: House) -> None:
    whole = {"discount": Off.parse("100%"), "discount_reason": "Follow-up within 7 days"}
    assert get(house.bill("100", by=house.person("reception"), by_rule=True, **whole)).total == 0


def test_the_widest_limit_of_the_roles_that_are_held_here_and_are_on(house: House) -> None:
    person = UserFactory(username="lalita")
    assert discount_limit(person, house.facility.pk) == 0
    give_role(user=person, role="billing-staff")
    assert discount_limit(person, house.facility.pk) == 10
    give_role(user=person, role="manager", facility=House().facility)
    assert discount_limit(person, house.facility.pk) == 10
    give_role(user=person, role="manager", facility=house.facility)
    assert discount_limit(person, house.facility.pk) == 50
    wide = RoleFactory(slug="wide")
    DiscountLimit.objects.create(role=wide, percent=80)
    give_role(user=person, role="wide", facility=house.facility)
    assert discount_limit(person, house.facility.pk) == 80
    Role.objects.filter(pk=wide.pk).update(is_active=False)
    assert discount_limit(person, house.facility.pk) == 50


def test_the_clinic_itself_and_who_holds_everything_have_no_limit(house: House) -> None:
    assert discount_limit(None, house.facility.pk) == 100
    assert discount_limit(User.objects.create_superuser("root"), house.facility.pk) == 100


def test_a_new_hospital_begins_with_limits_for_those_who_may_give_discounts() -> None:
    limits = dict(DiscountLimit.objects.values_list("role__slug", "percent"))
    assert limits == {"super-admin": 100, "admin": 100, "manager": 50, "billing-staff": 10}
