"""The rules of fees and refunds, as tables."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rules import totals
from reception.money.fees import Rules, Service, free_days, lines
from reception.money.refund_rules import BillNow, Deed, Loss, fate, loss_of, owes
from tokens.rules import NO_PLACE, NOT_SERVED, SENT_ON

RULES = Rules(
    priority_fee=Decimal(300),
    follow_up_free_days=7,
    hospital_fee_once=False,
    refund_full_hours=2,
    refund_later_percent=Decimal(50),
    when_displaced="keep",
)
SERVICE = Service(1, 2, 3, "Dr Rao", Decimal(500), Decimal(100))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, [("consultation", 500, 500), ("hospital_fee", 100, 100)]),
        ({"hospital_fee": Decimal(0)}, [("consultation", 500, 500)]),
        ({"consultation_fee": Decimal(0)}, [("hospital_fee", 100, 100)]),
        ({"consultation_fee": Decimal(0), "hospital_fee": Decimal(0)}, []),
        ({"hospital_fee_charged": True}, [("consultation", 500, 500)]),
        ({"priority": True}, [("consultation", 500, 500), ("hospital_fee", 100, 100), ("priority", 300, 300)]),
        ({"free_days": 7}, [("consultation", 500, 0), ("hospital_fee", 100, 0)]),
        (
            {"free_days": 7, "priority": True},
            [("consultation", 500, 0), ("hospital_fee", 100, 0), ("priority", 300, 300)],
        ),
        ({"consultation_fee": Decimal(0), "hospital_fee": Decimal(0), "priority": True}, [("priority", 300, 300)]),
    ],
)
def test_the_lines_of_a_consultation_bill(service: dict[str, Any], expected: list[tuple[str, int, int]]) -> None:
    found = lines(replace(SERVICE, **service), RULES)
    sums = totals(found) if found else None
    assert [
        (one.item_type, one.unit_price, each.total) for one, each in zip(found, sums.lines if sums else (), strict=True)
    ] == expected
    assert all((one.item_id, one.doctor_id, one.department_id) == (1, 2, 3) for one in found)
    assert all(one.discount_reason == "Follow-up within 7 days" for one in found if one.off)


def test_priority_that_is_not_sold_is_on_no_bill() -> None:
    rules = replace(RULES, priority_fee=Decimal(0))
    assert [one.item_type for one in lines(replace(SERVICE, priority=True), rules)] == ["consultation", "hospital_fee"]


@pytest.mark.parametrize(
    ("follow_up", "ago", "days", "free"),
    [
        (True, 0, 7, 7), (True, 1, 7, 7), (True, 7, 7, 7), (True, 8, 7, 0), (True, None, 7, 0), (True, -1, 7, 0),
        (False, 1, 7, 0), (True, 0, 0, 0), (True, 1, 0, 0), (True, 14, 14, 14),
    ],
)  # fmt: skip
def test_when_a_follow_up_is_free(follow_up: bool, ago: int | None, days: int, free: int) -> None:
    on = date(2026, 11, 21)
    last = None if ago is None else on - timedelta(days=ago)
    assert free_days(follow_up=follow_up, last=last, on=on, days=days) == free


@pytest.mark.parametrize(
    ("status", "arrived", "owing"),
    [
        ("confirmed", True, True), ("in_progress", True, True), ("completed", True, True), ("confirmed", False, False),
        ("waitlisted", True, False), ("waitlisted", False, False), ("cancelled", True, False), ("no_show", True, False),
        ("requested", True, False),
    ],
)  # fmt: skip
def test_who_owes(status: str, arrived: bool, owing: bool) -> None:
    assert owes(status, arrived=arrived) is owing


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": "confirmed", "arrived": True}, Loss.NONE),
        ({"status": "in_progress", "arrived": True}, Loss.NONE),
        ({"status": "completed", "arrived": True, "reason": SENT_ON}, Loss.NONE),
        ({"status": "confirmed", "arrived": False}, Loss.ARRIVAL),
        ({"status": "waitlisted", "arrived": True}, Loss.WAITS),
        ({"status": "waitlisted", "arrived": False}, Loss.WAITS),
        ({"status": "cancelled", "arrived": True, "reason": "Went home"}, Loss.PERSON),
        ({"status": "no_show", "arrived": False}, Loss.PERSON),
        ({"status": "cancelled", "arrived": True, "reason": "Went home", "waited": True}, Loss.HOSPITAL),
        ({"status": "cancelled", "arrived": True, "reason": NOT_SERVED}, Loss.HOSPITAL),
        ({"status": "cancelled", "arrived": True, "reason": NO_PLACE}, Loss.HOSPITAL),
        ({"status": "cancelled", "arrived": True, "reason": SENT_ON}, Loss.SENT_ON),
        ({"status": "confirmed", "arrived": True, "moved": True}, Loss.MOVED),
        ({"status": "confirmed", "arrived": False, "moved": True}, Loss.MOVED),
        ({"status": "confirmed", "arrived": True, "other": True}, Loss.PATIENT),
        ({"status": "cancelled", "arrived": True, "other": True}, Loss.PERSON),
    ],
)
def test_how_a_token_lost_what_it_was_billed_for(facts: dict[str, Any], expected: Loss) -> None:
    assert loss_of(**facts) == expected


def bill(paid: int = 0, total: int = 600, credited: int = 0, **kind: bool) -> BillNow:
    return BillNow(Decimal(total), Decimal(credited), Decimal(paid), **kind)


@pytest.mark.parametrize(
    ("now", "loss", "hours", "rules", "deed", "credit", "back"),
    [
        # Nothing paid.
        (bill(), Loss.NONE, 5, {}, Deed.KEEP, 0, 0),
        *[(bill(), loss, 5, {}, Deed.VOID, 0, 0) for loss in Loss if loss != Loss.NONE],
        (bill(total=0), Loss.PERSON, 5, {}, Deed.VOID, 0, 0),
        (bill(credited=600), Loss.PERSON, 5, {}, Deed.KEEP, 0, 0),
        # All paid.
        (bill(600), Loss.NONE, 5, {}, Deed.KEEP, 0, 0),
        (bill(600), Loss.ARRIVAL, 5, {}, Deed.KEEP, 0, 0),
        (bill(600), Loss.WAITS, 5, {}, Deed.KEEP, 0, 0),
        (bill(600), Loss.WAITS, 5, {"when_displaced": "credit"}, Deed.CREDIT, 600, 600),
        *[(bill(600), loss, -1, {}, Deed.CREDIT, 600, 600)
          for loss in (Loss.HOSPITAL, Loss.SENT_ON, Loss.MOVED, Loss.PATIENT)],
        (bill(600), Loss.PERSON, 3, {}, Deed.CREDIT, 600, 600),
        (bill(600), Loss.PERSON, 2, {}, Deed.CREDIT, 600, 600),
        (bill(600), Loss.PERSON, 1.99, {}, Deed.CREDIT, 300, 300),
        (bill(600), Loss.PERSON, -3, {}, Deed.CREDIT, 300, 300),
        (bill(600), Loss.PERSON, 0, {"refund_full_hours": 0}, Deed.CREDIT, 600, 600),
        (bill(600), Loss.PERSON, 1, {"refund_later_percent": Decimal(0)}, Deed.KEEP, 0, 0),
        (bill(600), Loss.PERSON, 1, {"refund_later_percent": Decimal(100)}, Deed.CREDIT, 600, 600),
        (bill(600, credited=100), Loss.PERSON, 1, {"refund_later_percent": Decimal(0)}, Deed.KEEP, 0, 100),
        (bill(600, credited=100), Loss.PERSON, 1, {}, Deed.CREDIT, 200, 300),
        # A part of it paid: nothing stays due.
        (bill(200), Loss.ARRIVAL, 1, {}, Deed.KEEP, 0, 0),
        (bill(200), Loss.WAITS, 1, {}, Deed.CREDIT, 600, 200),
        (bill(200), Loss.HOSPITAL, 1, {}, Deed.CREDIT, 600, 200),
        (bill(200), Loss.PERSON, 1, {}, Deed.CREDIT, 500, 100),
        (bill(200), Loss.PERSON, 3, {}, Deed.CREDIT, 600, 200),
        # Priority alone.
        (bill(300, 300, priority_only=True), Loss.WAITS, 1, {}, Deed.KEEP, 0, 0),
        (bill(300, 300, priority_only=True), Loss.MOVED, 1, {}, Deed.KEEP, 0, 0),
        (bill(300, 300, priority_only=True), Loss.SENT_ON, 1, {}, Deed.KEEP, 0, 0),
        (bill(300, 300, priority_only=True), Loss.PERSON, 1, {}, Deed.CREDIT, 150, 150),
        (bill(300, 300, priority_only=True), Loss.HOSPITAL, 1, {}, Deed.CREDIT, 300, 300),
        (bill(300, 300, priority_only=True), Loss.PATIENT, 1, {}, Deed.CREDIT, 300, 300),
        (bill(100, 300, priority_only=True), Loss.SENT_ON, 1, {}, Deed.CREDIT, 300, 100),
        (bill(0, 300, priority_only=True, offered=True), Loss.SENT_ON, 1, {}, Deed.VOID, 0, 0),
        (bill(0, 300, priority_only=True), Loss.WAITS, 1, {}, Deed.VOID, 0, 0),
        (bill(0, 300, priority_only=True, offered=True), Loss.WAITS, 1, {}, Deed.KEEP, 0, 0),
        (bill(0, 300, priority_only=True, offered=True), Loss.ARRIVAL, 1, {}, Deed.KEEP, 0, 0),
        (bill(0, 300, priority_only=True, offered=True), Loss.PERSON, 1, {}, Deed.VOID, 0, 0),
    ],
)  # fmt: skip
def test_what_becomes_of_a_bill(
    now: BillNow, loss: Loss, hours: float, rules: dict[str, Any], deed: Deed, credit: int, back: int
) -> None:
    found = fate(now, loss, left=hours * HOUR, rules=replace(RULES, **rules))
    assert (found.deed, found.credit, found.back) == (deed, credit, back)


CENTS = st.integers(0, 200_000).map(lambda cents: Decimal(cents) / 100)


@given(
    total=CENTS,
    credited=CENTS,
    paid=CENTS,
    loss=st.sampled_from(sorted(Loss)),
    hours=st.integers(-5, 5),
    percent=st.integers(0, 10_000),
    displaced=st.sampled_from(["keep", "credit"]),
    alone=st.booleans(),
)
def test_no_cent_is_lost_and_nothing_stays_due_where_the_place_is_gone(
    total: Decimal, credited: Decimal, paid: Decimal, loss: Loss, hours: int, percent: int, displaced: str, alone: bool
) -> None:
    credited, paid = min(credited, total), min(paid, total)
    now = BillNow(total, credited, paid, priority_only=alone)
    rules = replace(RULES, refund_later_percent=Decimal(percent) / 100, when_displaced=displaced)
    found = fate(now, loss, left=hours * HOUR, rules=rules)
    after = BillNow(total, credited + found.credit, paid)
    assert 0 <= found.credit <= now.left
    assert 0 <= found.back <= paid
    if found.deed == Deed.VOID:
        assert not paid
    if found.deed == Deed.CREDIT:
        assert max(-after.due, Decimal(0)) == found.back
        assert after.due <= 0
    if loss in (Loss.WAITS, Loss.HOSPITAL, Loss.PERSON) and not alone:
        assert found.deed == Deed.VOID or after.due <= 0
