"""A cashier's shift: opened with a float, counted, explained, handed over, and closed for ever."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.actions import give_role
from accounts.errors import OutOfReach, PermissionDenied
from accounts.tests.factories import FacilityFactory, UserFactory
from billing.actions import close_shift, open_shift
from billing.errors import (
    BadAmount,
    DifferenceUnexplained,
    DrawerTaken,
    NoDrawer,
    ShiftIsClosed,
    ShiftOpen,
    UnknownShift,
)
from billing.models import BillingSettings, Drawer, LedgerTransaction, Shift
from billing.queries import current_shift, free_drawers, get_shift, shift_report, shifts_of
from billing.tenders import Tender, counted_of
from billing.tests.house import House, card, from_account
from common.errors import BadInput, NotFound
from common.testing.races import race


def D(amount: str | int) -> Decimal:  # noqa: N802
    return Decimal(amount)


@pytest.fixture
def house(db: None) -> House:
    return House()


def begin(house: House, **more: Any) -> Shift:
    arguments = {"facility_id": house.facility.id, "float_amount": D(1000)} | more
    return house.act(open_shift, **arguments)


class TestOpening:
    def test_with_a_float_out_of_the_safe(self, house: House) -> None:
        shift = begin(house)
        assert (shift.number, shift.date, shift.float_amount) == (1, house.now.date(), D(1000))
        assert (shift.drawer, shift.cashier, shift.closed_at) == (house.drawers[0], house.meena, None)
        assert (house.balance("cash"), house.balance("safe")) == (D(1000), D(-1000))
        assert current_shift(house.meena, house.facility.pk) == shift

    def test_an_empty_drawer_has_nothing_to_post(self, house: House) -> None:
        begin(house, float_amount=D(0))
        assert not LedgerTransaction.objects.exists()
        with pytest.raises(BadAmount):
            begin(house, float_amount=D(-1), by=house.farah)

    def test_the_first_free_drawer_by_name_or_the_one_that_is_named(self, house: House) -> None:
        Drawer.objects.create(facility=house.facility, name="Annex")
        assert begin(house).drawer.name == "Annex"
        assert [drawer.name for drawer in free_drawers(house.facility.pk)] == ["Drawer 1", "Drawer 2"]
        assert begin(house, by=house.farah, drawer_id=house.drawers[1].pk).drawer.name == "Drawer 2"

    def test_a_cashier_has_one(self, house: House) -> None:
        begin(house)
        with pytest.raises(ShiftOpen) as refused:
            begin(house)
        assert refused.value.code == "shift_open"
        assert "has an open shift at Drawer 1 already" in str(refused.value)

    def test_also_where_the_other_is_in_another_facility(self, house: House) -> None:
        elsewhere = House()
        give_role(user=house.meena, role="billing-staff", facility=elsewhere.facility)
        begin(house)
        with pytest.raises(ShiftOpen):
            begin(elsewhere, by=type(house.meena).objects.get(pk=house.meena.pk))

    def test_a_drawer_belongs_to_one_at_a_time(self, house: House) -> None:
        begin(house)
        with pytest.raises(DrawerTaken) as refused:
            begin(house, by=house.farah, drawer_id=house.drawers[0].pk)
        assert str(house.meena) in str(refused.value)

    def test_where_none_is_free(self, house: House) -> None:
        begin(house)
        Drawer.objects.filter(pk=house.drawers[1].pk).update(is_active=False)
        with pytest.raises(NoDrawer):
            begin(house, by=house.farah)

    def test_not_at_another_facility_s_drawer(self, house: House) -> None:
        with pytest.raises(NotFound):
            begin(house, drawer_id=House().drawers[0].pk)

    def test_not_in_another_facility(self, house: House) -> None:
        with pytest.raises(OutOfReach):
            begin(house, facility_id=House().facility.pk)
        with pytest.raises(NotFound):
            begin(house, facility_id=0)

    def test_not_by_who_may_not_take_money(self, house: House) -> None:
        with pytest.raises(PermissionDenied):
            begin(house, by=house.person("reception"))

    def test_shifts_are_numbered_through_the_day(self, house: House) -> None:
        first = begin(house)
        house.close(first, "1000")
        assert [begin(house).number, begin(house, by=house.farah).number] == [2, 3]
        house.close(Shift.objects.get(number=2), "1000")
        house.later(days=1)
        assert begin(house).number == 1


class TestClosing:
    def test_counted_is_what_was_expected(self, house: House) -> None:
        shift = begin(house)
        bill = house.bill("650")
        house.pay(bill, Tender("cash", D(400), tendered=D(500)), card("250"))
        house.refund(house.payments(bill)[0], "100", credit=True)
        house.later(hours=8)
        closed = house.close(shift, "1300")
        assert (closed.expected, closed.counted, closed.difference) == (D(1300), D(1300), D(0))
        assert (closed.closed_at, closed.closed_by, closed.reason) == (house.now, house.meena, "")
        assert (house.balance("cash"), house.balance("safe"), house.balance("difference")) == (D(0), D(300), D(0))
        assert current_shift(house.meena, house.facility.pk) is None

    @pytest.mark.parametrize(("counted", "difference"), [("990", "-10"), ("1000.50", "0.50"), ("0", "-1000")])
    def test_a_difference_is_recorded_and_explained(self, house: House, counted: str, difference: str) -> None:
        shift = begin(house)
        with pytest.raises(DifferenceUnexplained) as refused:
            house.close(shift, counted, reason="  ")
        assert refused.value.attr == "reason"
        closed = house.close(shift, counted, reason="a note was torn")
        closed.refresh_from_db()
        assert (closed.difference, closed.reason) == (D(difference), "a note was torn")
        assert (house.balance("cash"), house.balance("difference")) == (D(0), -D(difference))

    def test_it_never_changes_again(self, house: House) -> None:
        shift = begin(house)
        house.close(shift, "1000")
        with pytest.raises(ShiftIsClosed) as refused:
            house.close(shift, "1000")
        assert refused.value.code == "shift_closed"
        for change in ({"closed_at": None}, {"counted": D(5)}, {"reason": "it was not"}, {"float_amount": D(0)}):
            with pytest.raises(DatabaseError, match="closed for ever"), transaction.atomic():
                Shift.objects.filter(pk=shift.pk).update(**change)

    def test_counted_by_notes_and_coins(self, house: House) -> None:
        shift = begin(house, float_amount=D(1233))
        closed = house.act(close_shift, shift_id=shift.pk, counts={"500": 2, "100": 2, "10": 3, "1": 3, "200": 0})
        closed.refresh_from_db()
        assert closed.counted == D(1233)
        assert closed.counts == {"500": 2, "100": 2, "10": 3, "1": 3}

    def test_with_the_coins_of_the_house(self, house: House) -> None:
        BillingSettings.objects.create(facility=house.facility, denominations=[D("20"), D("0.50")])
        shift = begin(house, float_amount=D("41.50"))
        with pytest.raises(BadInput):
            house.act(close_shift, shift_id=shift.pk, counts={"500": 1})
        assert house.act(close_shift, shift_id=shift.pk, counts={"20.00": 2, "0.5": 3}).counts == {"20": 2, "0.5": 3}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"3": 1},
            {"500": -1},
            {"500": 1.5},
            {"500": "2"},
            {"500": True},
            {"x": 1},
            {"sNaN": 1},
            {"Infinity": 1},
            {"500": 10_000_000},
        ],
    )
    def test_what_cannot_be_counted_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            counted_of(wrong, [D(500), D(100)])

    def test_something_must_be_counted_and_both_ways_must_agree(self, house: House) -> None:
        shift = begin(house)
        with pytest.raises(BadInput):
            house.act(close_shift, shift_id=shift.pk)
        with pytest.raises(BadInput):
            house.act(close_shift, shift_id=shift.pk, counts={"500": 2}, counted=D(999))
        assert house.act(close_shift, shift_id=shift.pk, counts={"500": 2}, counted=D(1000)).counted == D(1000)

    def test_somebody_else_s_needs_the_permission_for_it(self, house: House) -> None:
        shift = begin(house)
        with pytest.raises(PermissionDenied):
            house.close(shift, "1000", by=house.person("billing-staff"))
        manager = house.person("manager")
        assert house.close(shift, "1000", by=manager).closed_by == manager

    def test_another_facility_s_is_not_there(self, house: House) -> None:
        shift = begin(house)
        stranger = UserFactory(username="stranger", roles=["manager"], facility=FacilityFactory(name="Elsewhere"))
        for by in (stranger, UserFactory(username="nobody")):
            with pytest.raises(OutOfReach) as refused:
                house.close(shift, "1000", by=by)
            assert refused.value.attempt["object_id"] == shift.pk
            with pytest.raises(OutOfReach):
                get_shift(shift.pk, by)
        with pytest.raises(UnknownShift):
            house.act(close_shift, shift_id=0, counted=D(1))


class TestHandingOver:
    def test_another_cashier_goes_on_at_the_same_drawer(self, house: House) -> None:
        shift = begin(house)
        house.pay(house.bill("650"), "650")
        house.close(shift, "1650", hand_to_id=house.farah.pk)
        following = current_shift(house.farah, house.facility.pk)
        assert following is not None
        assert (following.after_id, following.drawer_id, following.number) == (shift.pk, shift.drawer_id, 2)
        assert (following.float_amount, following.opened_at) == (D(1650), house.now)
        assert (house.balance("cash"), house.balance("safe")) == (D(1650), D(-1000))

    def test_with_a_float_of_its_own(self, house: House) -> None:
        house.close(begin(house), "1000", hand_to_id=house.farah.pk, hand_float=D(300))
        assert house.balance("cash") == D(300)
        assert house.balance("safe") == D(-300)

    def test_not_to_who_has_a_shift_or_may_not_take_money(self, house: House) -> None:
        shift = begin(house)
        begin(house, by=house.farah)
        with pytest.raises(ShiftOpen):
            house.close(shift, "1000", hand_to_id=house.farah.pk)
        for nobody in (house.person("reception").pk, House().meena.pk, 0):
            with pytest.raises(BadInput):
                house.close(shift, "1000", hand_to_id=nobody)
        assert Shift.objects.get(pk=shift.pk).closed_at is None  # all or nothing


class TestReport:
    def test_x_while_it_is_open_z_for_ever_after(self, house: House) -> None:
        shift = begin(house)
        house.deposit("500", card("200"))
        bill = house.bill("1000")
        house.pay(
            bill,
            from_account("700"),
            Tender("upi", D(100), "U-1"),
            Tender("cash", D(250), tendered=D(300)),
            keep_rest=True,
        )
        house.refund(house.payments(bill)[2], "50")
        report = shift_report(shift)
        assert report.kind == "X"
        assert [(one.method, one.payments, one.taken, one.refunds, one.given) for one in report.methods] == [
            ("cash", 3, D(750), 1, D(50)),
            ("card", 1, D(200), 0, D(0)),
            ("upi", 1, D(100), 0, D(0)),
            ("account", 1, D(700), 0, D(0)),
        ]
        assert (report.float_amount, report.expected, report.counted, report.difference) == (
            D(1000),
            D(1700),
            None,
            None,
        )
        assert (report.taken, report.given, report.net, report.without_cash) == (D(1050), D(50), D(1000), D(300))
        assert (report.advances, report.payments, report.refunds) == (D(750), 6, 1)
        assert (report.receipts, report.vouchers) == (2, 1)
        assert (report.first_receipt, report.last_receipt) == ("R-2031-000001", "R-2031-000002")
        house.close(shift, "1690", reason="short")
        after = shift_report(get_shift(shift.pk, house.meena))
        assert (after.kind, after.counted, after.difference, after.expected) == ("Z", D(1690), D(-10), D(1700))
        assert after.methods == report.methods

    def test_the_cash_expected_is_float_and_takings_less_what_was_given(self, house: House) -> None:
        shift = begin(house)
        payments = [house.pay(house.bill(price), price).payments.get() for price in ("10", "20.50", "333.33")]
        house.refund(payments[2], "33.33")
        assert shift_report(shift).expected == D("1330.50")
        assert house.close(shift, "1330.50").difference == 0

    def test_one_s_own_shifts_or_those_of_all(self, house: House) -> None:
        mine, theirs = begin(house, by=house.person("billing-staff")), begin(house, by=house.farah)
        here = frozenset({house.facility.pk})
        assert list(shifts_of(here, mine.cashier)) == [mine]
        assert list(shifts_of(here, house.farah)) == [theirs, mine]
        assert list(shifts_of(here, house.farah, on=mine.date)) == [theirs, mine]
        assert get_shift(mine.pk, mine.cashier) == mine
        with pytest.raises(PermissionDenied):
            get_shift(theirs.pk, mine.cashier)


@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_one_drawer_and_one_cashier_each_have_one_shift(self) -> None:
        house = House()
        people = [house.meena, house.meena, house.farah, house.person("billing-staff")]
        done = race([lambda by=by: begin(house, by=by) for by in people])
        assert len(done.returned) == 2
        assert {type(error) for error in done.raised} <= {ShiftOpen, NoDrawer}
        assert sorted(shift.number for shift in Shift.objects.all()) == [1, 2]

    def test_a_shift_is_closed_once(self) -> None:
        house = House()
        shift = begin(house)
        done = race([lambda: house.close(shift, "1000")] * 4)
        assert (len(done.returned), len(done.of(ShiftIsClosed))) == (1, 3)
        assert LedgerTransaction.objects.filter(kind="close").count() == 1

    def test_an_opening_and_a_handover_have_two_numbers(self) -> None:
        house = House()
        shift = begin(house)
        third = house.person("billing-staff")
        done = race([lambda: house.close(shift, "1000", hand_to_id=third.pk), lambda: begin(house, by=house.farah)])
        assert not done.raised
        assert sorted(shift.number for shift in Shift.objects.all()) == [1, 2, 3]


heard: list[int] = []


def hear(facility_id: int) -> None:
    heard.append(facility_id)


@pytest.mark.django_db
def test_other_apps_hear_of_shifts_and_accounts_though_no_bill_changed(settings: Any) -> None:
    settings.OPD_MONEY_MOVED = [f"{__name__}.hear"]
    house, times = House(), []
    shift = house.open()
    times.append(len(heard))
    house.deposit("50")
    times.append(len(heard))
    house.refund_advance("50")
    times.append(len(heard))
    house.close(shift, "1000")
    times.append(len(heard))
    assert times == [1, 2, 3, 4]
    assert set(heard) == {house.facility.pk}
