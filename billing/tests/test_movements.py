"""Cash carried into a drawer and out of it in the middle of a shift: to the safe, from it, petty cash and back."""

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.errors import OutOfReach, PermissionDenied
from accounts.models import Permission, Role
from billing.actions import move_cash, movements, shifts
from billing.errors import (
    BadAmount,
    NotInDrawer,
    PettyTooLarge,
    ReasonNeeded,
    ReasonTooLong,
    ShiftIsClosed,
    UnknownShift,
)
from billing.models import CashMovement, Shift
from billing.queries.shifts import expected_cash, moved_cash, movements_of, shift_report
from billing.tests.house import House, card, gapless, numbers
from billing.tests.racing import WithoutLock, codes, found
from common.errors import BadInput
from common.testing.races import PATIENCE, Outcomes, race, race_of

pytestmark = pytest.mark.django_db


def D(amount: str | int) -> Decimal:  # noqa: N802
    return Decimal(amount)


@pytest.fixture
def shift(house: House) -> Shift:
    """Meena's, with 1000 in the drawer."""
    return Shift.objects.get(cashier=house.meena)


class TestWhereItGoes:
    @pytest.mark.parametrize(
        ("kind", "holds", "safe", "petty"),
        [
            ("to_safe", "900", "-900", "0"),
            ("from_safe", "1100", "-1100", "0"),
            ("paid_out", "900", "-1000", "100"),
            ("came_back", "950", "-1000", "50"),
        ],
    )
    def test_between_the_drawer_and_the_safe_or_what_was_spent(
        self, kind: str, holds: str, safe: str, petty: str
    ) -> None:
        house = House()
        shift = house.open()
        before = [house.move(shift, "paid_out", "150")] if kind == "came_back" else []
        row = house.move(shift, kind, "100", " courier ")
        number = f"M-2031-{len(before) + 1:06d}"
        assert (row.number, row.amount, row.reason, row.by) == (number, D(100), "courier", house.meena)
        assert (row.date, row.at, row.facility, row.shift) == (house.now.date(), house.now, house.facility, shift)
        assert (house.balance("cash"), house.balance("safe"), house.balance("petty")) == (D(holds), D(safe), D(petty))
        assert expected_cash(shift) == D(holds)
        assert house.close(shift, holds).difference == 0
        assert found(house) == set()

    def test_what_was_wrong_is_taken_back_by_its_opposite(self, house: House, shift: Shift) -> None:
        for kind, back in (("to_safe", "from_safe"), ("paid_out", "came_back")):
            house.move(shift, kind, "40")
            house.move(shift, back, "40", "typed twice")
        assert expected_cash(shift) == 1000
        assert house.balance("petty") == 0
        assert [row.number for row in movements_of(shift)] == [f"M-2031-00000{n}" for n in (4, 3, 2, 1)]
        assert moved_cash(shift) == (D(80), D(80))

    def test_all_that_lies_there_and_not_a_cent_more(self, house: House, shift: Shift) -> None:
        bill = house.bill("650")
        house.pay(bill, "400", card("250"))
        house.refund(house.payments(bill)[0], "100")
        for kind in ("to_safe", "paid_out"):
            with pytest.raises(NotInDrawer) as refused:
                house.move(shift, kind, "1300.01")
            assert "1,300.00" in str(refused.value)
        house.move(shift, "to_safe", "1300")
        assert expected_cash(shift) == 0
        house.pay(house.bill("20"), "20")
        with pytest.raises(NotInDrawer):
            house.refund(house.payments(bill)[0], "20.01")

    def test_what_was_refused_leaves_no_gap_in_the_numbers(self, house: House, shift: Shift) -> None:
        with pytest.raises(NotInDrawer):
            house.move(shift, "to_safe", "5000")
        house.move(shift, "to_safe", "500")
        assert numbers(house.facility.pk, "billing_cashmovement", "M") == [1]

    def test_it_is_of_the_facility_s_date(self) -> None:
        kolkata = House(zone="Asia/Kolkata")
        kolkata.now = kolkata.now.replace(month=12, day=31, hour=18, minute=31)
        row = kolkata.move(kolkata.open(), "to_safe", "1")
        assert (row.number, row.date.isoformat()) == ("M-2032-000001", "2032-01-01")


class TestWhatIsRefused:
    @pytest.mark.parametrize("amount", ["0", "-1", "1.005", "NaN"])
    def test_what_is_no_amount(self, house: House, shift: Shift, amount: str) -> None:
        with pytest.raises(BadAmount):
            house.move(shift, "to_safe", amount)

    def test_what_is_no_kind(self, house: House, shift: Shift) -> None:
        with pytest.raises(BadInput):
            house.move(shift, "stolen", "1")

    def test_petty_cash_without_a_reason(self, house: House, shift: Shift) -> None:
        for kind in ("paid_out", "came_back"):
            with pytest.raises(ReasonNeeded):
                house.move(shift, kind, "1", "  ")
        with pytest.raises(ReasonTooLong):
            house.move(shift, "to_safe", "1", "x" * 301)
        assert house.move(shift, "to_safe", "1", "").reason == ""

    def test_a_shift_that_is_closed_or_none(self, house: House, shift: Shift) -> None:
        house.close(shift, "1000")
        with pytest.raises(ShiftIsClosed):
            house.move(shift, "from_safe", "1")
        with pytest.raises(UnknownShift):
            house.act(move_cash, shift_id=0, kind="to_safe", amount=D(1))


class TestPettyCashThatComesBack:
    """Never more of it than was spent, in all shifts of the facility together."""

    def test_no_more_than_was_spent(self, house: House, shift: Shift) -> None:
        with pytest.raises(PettyTooLarge):
            house.move(shift, "came_back", "0.01")
        house.move(shift, "paid_out", "60")
        with pytest.raises(PettyTooLarge) as refused:
            house.move(shift, "came_back", "60.01")
        assert (refused.value.code, refused.value.status) == ("petty_too_large", 409)
        said = "₹60.00 of petty cash were spent and not brought back; ₹60.01 cannot be brought back."
        assert str(refused.value) == said
        house.move(shift, "came_back", "45")
        with pytest.raises(PettyTooLarge):
            house.move(shift, "came_back", "15.01")
        house.move(shift, "came_back", "15")
        assert (house.balance("petty"), expected_cash(shift)) == (0, 1000)
        assert numbers(house.facility.pk, "billing_cashmovement", "M") == [1, 2, 3]

    def test_in_another_shift_than_it_was_spent_in(self, house: House, shift: Shift) -> None:
        house.move(shift, "paid_out", "60")
        house.close(shift, "940")
        house.move(Shift.objects.get(cashier=house.farah), "came_back", "20")
        assert house.balance("petty") == 40

    def test_what_another_facility_spent_is_its_own(self, house: House, shift: Shift) -> None:
        other = House()
        other.move(other.open(), "paid_out", "60")
        with pytest.raises(PettyTooLarge):
            house.move(shift, "came_back", "1")

    def test_change_from_the_safe_has_no_such_limit(self, house: House, shift: Shift) -> None:
        house.move(shift, "from_safe", "5000")
        assert expected_cash(shift) == 6000


@pytest.mark.django_db(transaction=True)
class TestTheSamePettyCashBroughtBackTwice:
    def both(self, house: House) -> Outcomes:
        house.move(Shift.objects.get(cashier=house.meena), "paid_out", "60")
        own = [Shift.objects.get(cashier=cashier) for cashier in house.cashiers]
        return race([lambda shift=shift: house.move(shift, "came_back", "60") for shift in own])  # type: ignore[misc]

    def test_into_two_drawers_at_once_it_comes_once(self, house: House) -> None:
        assert codes(self.both(house)) == ["petty_too_large"]
        assert house.balance("petty") == 0
        assert found(house) == set()

    def test_control_without_the_lock_it_comes_twice_and_the_proof_finds_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        house.pace = timedelta(0)
        wait = threading.Barrier(2, timeout=PATIENCE)
        unlocked.patch.setattr(movements, "require_petty_spent", before(wait, movements.require_petty_spent))
        assert len(self.both(house).returned) == 2
        assert house.balance("petty") == -60
        assert found(house) == {"petty_below_zero"}


def before(wait: threading.Barrier, look: Any) -> Any:
    """Nobody writes before both have looked."""

    def looked(*asked: Any) -> None:
        look(*asked)
        wait.wait()

    return looked


class TestWho:
    def test_the_cashier_and_who_oversees_shifts(self, house: House, shift: Shift) -> None:
        house.move(shift, "to_safe", "1", by=house.person("manager"))
        with pytest.raises(PermissionDenied) as refused:
            house.move(shift, "to_safe", "1", by=house.person("billing-staff"))
        assert refused.value.data["needed"] == "billing.shifts"

    def test_petty_cash_is_for_who_may_spend_it(self, house: House) -> None:
        role = Role.objects.create(slug="till", name="Till")
        role.permissions.set(Permission.objects.filter(code__in=["billing.take", "billing.view"]))
        cashier = house.person("till")
        house.close(Shift.objects.get(cashier=house.meena), "1000")
        own = house.open(cashier, 0)
        house.move(own, "to_safe", "1", by=cashier)
        for kind in ("paid_out", "came_back"):
            with pytest.raises(PermissionDenied) as refused:
                house.move(own, kind, "1", by=cashier)
            assert refused.value.data["needed"] == "billing.petty"

    def test_another_facility_s_shift_is_not_there(self, house: House, shift: Shift) -> None:
        with pytest.raises(OutOfReach):
            house.move(shift, "to_safe", "1", by=House().meena)


class TestReports:
    def test_they_have_lines_of_their_own_and_no_takings(self, house: House, shift: Shift) -> None:
        house.pay(house.bill("300"), "300")
        for kind, amount in (("to_safe", "200"), ("to_safe", "50"), ("paid_out", "30.50"), ("from_safe", "20")):
            house.move(shift, kind, amount)
        report = shift_report(shift)
        assert [(each.kind, each.count, each.added) for each in report.moved] == [
            ("to_safe", 2, D(-250)),
            ("from_safe", 1, D(20)),
            ("paid_out", 1, D("-30.50")),
        ]
        assert (report.cash_in, report.cash_out) == (D(20), D("280.50"))
        assert (report.expected, report.taken, report.net) == (D("1039.50"), D(300), D(300))
        house.close(shift, "1039.50")
        after = shift_report(Shift.objects.get(pk=shift.pk))
        assert (after.kind, after.movements, after.difference) == ("Z", report.movements, 0)

    def test_who_goes_on_begins_with_what_was_left(self, house: House, shift: Shift) -> None:
        house.move(shift, "to_safe", "700")
        third = house.person("billing-staff")
        closed = house.close(shift, "300", hand_to_id=third.pk)
        after = Shift.objects.get(after=closed)
        assert (closed.difference, after.float_amount, expected_cash(after)) == (0, D(300), D(300))
        assert moved_cash(after) == (0, 0)
        assert found(house) == set()


heard: list[int] = []


def hear(facility_id: int) -> None:
    heard.append(facility_id)


def test_other_apps_hear_of_it(house: House, shift: Shift, settings: Any) -> None:
    settings.OPD_MONEY_MOVED = [f"{__name__}.hear"]
    house.move(shift, "to_safe", "1")
    assert heard == [house.facility.pk]


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def own(self, house: House) -> Shift:
        return Shift.objects.get(cashier=house.meena, closed_at=None)

    def both(self, house: House) -> Outcomes:
        shift = self.own(house)
        return race([lambda: house.move(shift, "paid_out", "800"), lambda: house.move(shift, "to_safe", "800")])

    def test_where_there_is_cash_for_one_of_two_one_gets_it(self, house: House) -> None:
        assert codes(self.both(house)) == ["not_in_drawer"]
        assert house.balance("cash") == 1200  # 200 here, and 1000 in the other drawer
        assert found(house) == set()

    def test_a_refund_and_a_movement_share_the_same_cash(self, house: House) -> None:
        bill, shift = house.bill("600"), self.own(house)
        house.pay(bill, "600", by=house.farah)
        [payment] = house.payments(bill)
        done = race([lambda: house.refund(payment, "600"), lambda: house.move(shift, "to_safe", "600")])
        assert codes(done) == ["not_in_drawer"]
        assert expected_cash(shift) == 400

    def test_control_without_the_lock_both_get_it_and_the_proof_finds_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        unlocked.all_read_first(2, (movements, "next_number"))
        assert len(self.both(house).returned) == 2
        assert expected_cash(self.own(house)) == -600
        assert found(house) == {"drawer_below_zero"}

    def test_many_are_numbered_without_a_gap(self, house: House) -> None:
        cashiers = [Shift.objects.get(cashier=cashier) for cashier in house.cashiers]
        done = race_of(8, lambda n: house.move(cashiers[n % 2], "paid_out", "250"))
        assert codes(done) == []
        assert gapless(numbers(house.facility.pk, "billing_cashmovement", "M"))
        assert house.balance("cash") == 0
        assert found(house) == set()


@pytest.mark.django_db(transaction=True)
class TestCloseAgainstPayingOut:
    def requests(self, house: House, shift: Shift) -> Outcomes:
        house.now = timezone.now()
        closing = lambda: house.close(shift, "1000", "as counted", at=None)  # noqa: E731
        return race([closing, lambda: house.move(shift, "paid_out", "300", at=None)])

    def spent(self, shift: Shift) -> Decimal:
        return sum((row.amount for row in CashMovement.objects.filter(shift=shift)), D(0))

    def test_it_is_in_the_count_or_is_told_that_the_shift_is_closed(self, house: House) -> None:
        shift = Shift.objects.get(cashier=house.meena)
        for _ in range(6):
            done = self.requests(house, shift)
            closed = Shift.objects.get(pk=shift.pk)
            assert codes(done) in ([], ["shift_closed"])
            assert closed.expected == 1000 - self.spent(closed)
            assert house.balance("cash") == 1000  # what lies in the other drawer
            shift = house.open()
        assert found(house) == set()

    def test_control_without_lock_and_trigger_a_closed_shift_forgets_it(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        shift = Shift.objects.get(cashier=house.meena)
        unlocked.untrigger("billing_cashmovement")
        unlocked.all_read_first(2, (movements, "next_number"), (shifts, "post_close"))
        assert len(self.requests(house, shift).returned) == 2
        assert (Shift.objects.get(pk=shift.pk).expected, self.spent(shift)) == (1000, 300)
        assert {"shift_expected", "drawer_balance"} <= found(house)

    def test_control_without_the_lock_the_trigger_refuses_or_the_count_forgets(
        self, house: House, unlocked: WithoutLock
    ) -> None:
        shift = Shift.objects.get(cashier=house.meena)
        unlocked.all_read_first(2, (movements, "next_number"), (shifts, "post_close"))
        done = self.requests(house, shift)
        # Whose row comes first decides: the movement waits for the close and is refused, or the close forgets it.
        assert len(done.of(IntegrityError)) == 1 or "shift_expected" in found(house)
