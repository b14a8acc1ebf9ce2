"""Headings say what was found: a table of cases for each."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reports.figures import displaced, estimates, no_shows, owed, places, seen, takings, waits
from reports.figures.figure import Ground
from reports.periods import Period, parse
from reports.records import (
    AGES,
    FATES,
    Block,
    Counts,
    Displaced,
    Kept,
    Owed,
    Reason,
    ShiftLine,
    Taken,
    Takings,
    Unpaid,
    Wait,
    Waits,
    age_of,
)

NOW = datetime(2026, 11, 21, 10, 24)


HALF = "Half of those called waited"


def period(text: str) -> Period:
    return parse(text, NOW)


TODAY, YESTERDAY, TOMORROW = period("2026-11-21"), period("2026-11-20"), period("2026-11-22")
MONTH, LAST_MONTH = period("2026-11"), period("2026-10")


def ground(on: Period = TODAY) -> Ground:
    return Ground(on, {}, {}, "INR")


def wait(called: int, half: int, high: int = 60) -> Wait:
    return Wait(called, 1, 2, half, half, high, high)


def waited(**by_source: tuple[int, int]) -> Waits:
    """Waits of sources, each with how many were called and the median; of all of them the first one's."""
    found = {source: wait(*numbers) for source, numbers in by_source.items()}
    return Waits(found.pop("all"), found, {})


@pytest.mark.parametrize(
    ("found", "on", "said"),
    [
        (Waits(None, {}, {}), TODAY, "Nobody has been called yet"),
        (Waits(None, {}, {}), YESTERDAY, "Nobody was called"),
        (Waits(None, {}, {}), TOMORROW, "Nobody has been called: it is still ahead"),
        (waited(all=(1, 12)), TODAY, "One patient was called, after 12 minutes"),
        (waited(all=(33, 22), online=(33, 22)), TODAY, "Half of those called today waited 22 minutes or less"),
        (waited(all=(33, 22), online=(33, 22)), MONTH, "Half of those called waited 22 minutes or less"),
        (
            waited(all=(90, 24), walk_in=(40, 34), online=(50, 20)),
            MONTH,
            "Walk-ins wait longest: a median of 34 minutes, 24 for all",
        ),
        (
            waited(all=(90, 24), walk_in=(9, 60), online=(81, 24)),
            MONTH,
            "Half of those called waited 24 minutes or less",
        ),
        (
            waited(all=(90, 24), walk_in=(40, 29), online=(50, 20)),
            MONTH,
            "Half of those called waited 24 minutes or less",
        ),
        (waited(all=(90, 0), walk_in=(40, 0), online=(50, 0)), MONTH, "Half of those called waited 0 minutes or less"),
    ],
)
def test_waits(found: Waits, on: Period, said: str) -> None:
    assert waits.heading(found, on) == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "Nobody has been called yet"),
        ({"Dr Rao": wait(5, 20)}, "Half of those called for Dr Rao waited 20 minutes or less"),
        (
            {"Dr Rao": wait(20, 30), "Dr Nair": wait(12, 8)},
            "The median wait is 30 minutes for Dr Rao and 8 for Dr Nair",
        ),
        ({"Dr Rao": wait(20, 30), "Dr Nair": wait(12, 30)}, "The median wait is 30 minutes with every doctor"),
        (
            {"Dr Rao": wait(20, 30), "Dr Nair": wait(3, 90)},
            "Half of those called for Dr Rao waited 30 minutes or less",
        ),
    ],
)
def test_waits_by_doctor(found: dict[str, Wait], said: str) -> None:
    assert waits.heading_by_doctor(found, TODAY) == said


def counts(due: int, no_show: int) -> Counts:
    return Counts(due, due - no_show, due, no_show, 0)


@pytest.mark.parametrize(
    ("by_source", "on", "said"),
    [
        ({}, YESTERDAY, "Nobody was due"),
        ({}, TODAY, "Nobody is due yet"),
        ({}, TOMORROW, "Nobody is due yet"),
        ({"online": counts(36, 0)}, TODAY, "No no-shows among 36 people due"),
        ({"online": counts(1, 0)}, TODAY, "No no-shows among 1 person due"),
        ({"online": counts(36, 1)}, TODAY, "One of 36 due by now did not come"),
        ({"online": counts(36, 1)}, YESTERDAY, "One of 36 due did not come"),
        ({"online": counts(36, 7)}, TODAY, "7 of 36 due by now did not come"),
        ({"online": counts(36, 7)}, YESTERDAY, "7 of 36 due did not come"),
        ({"online": counts(1000, 57)}, MONTH, "5.7 % of those due did not come"),
        (
            {"online": counts(1207, 118), "walk_in": counts(3083, 86)},
            MONTH,
            "Online patients stay away most: 9.8 % of those due, 4.8 % of all",
        ),
        ({"online": counts(19, 9), "walk_in": counts(981, 41)}, MONTH, "5 % of those due did not come"),
    ],
)
def test_no_shows(by_source: dict[str, Counts], on: Period, said: str) -> None:
    total = sum(by_source.values(), Counts(0, 0, 0, 0, 0))
    assert no_shows.heading_no_shows(by_source, total, on) == said


@pytest.mark.parametrize(
    ("rows", "on", "said"),
    [
        ([], TODAY, "Nobody has been seen yet"),
        ([("Dr Rao", 0)], LAST_MONTH, "Nobody was seen"),
        ([("Dr Rao", 1)], TODAY, "1 patient was seen"),
        ([("Dr Rao", 9), ("Dr Nair", 9)], TODAY, "18 patients were seen"),
        ([("Dr Rao", 9), ("Dr Nair", 8), ("Dr Khan", 7)], TODAY, "24 patients were seen; Dr Rao saw the most, 9"),
        ([("Dr Rao", 1900), ("Dr Nair", 8)], MONTH, "1,908 patients were seen, most of them by Dr Rao: 1,900"),
    ],
)
def test_seen(rows: list[tuple[str, int]], on: Period, said: str) -> None:
    assert seen.heading_seen(rows, on) == said


def block(hour: int, offered: int, taken: int, over: int = 0) -> Block:
    return Block(1, hour, hour, 1, offered, taken, over)


@pytest.mark.parametrize(
    ("blocks", "on", "source", "said"),
    [
        ([], YESTERDAY, None, "No places were offered"),
        ([], TODAY, None, "No places are offered"),
        ([], TOMORROW, None, "No places are offered"),
        ([block(9, 6, 6)], TODAY, None, "All 6 places are taken"),
        ([block(9, 6, 6)], YESTERDAY, None, "All 6 places were taken"),
        ([block(9, 6, 7, 1)], TODAY, None, "All 6 places are taken, 1 beyond the capacity"),
        ([block(9, 6, 5), block(10, 6, 4)], TODAY, None, "9 of 12 places are taken"),
        ([block(9, 6, 5), block(12, 6, 1)], TODAY, None, "6 of 12 places are taken; least from 12:00 on, 17 %"),
        ([block(9, 6, 5), block(12, 6, 1)], YESTERDAY, None, "6 of 12 places were taken; least from 12:00 on, 17 %"),
        (
            [block(9, 60, 59), block(17, 60, 20)],
            MONTH,
            None,
            "66 % of the places were used; least from 17:00 on, 33 %",
        ),
        ([block(9, 6, 5), block(12, 2, 0)], TODAY, None, "5 of 8 places are taken"),
        ([block(9, 6, 2), block(12, 6, 1)], TODAY, "walk_in", "Walk-ins hold 3 of 12 places, 25 %"),
    ],
)
def test_capacity(blocks: list[Block], on: Period, source: str | None, said: str) -> None:
    assert places.heading(blocks, on, source) == said


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({}, "Nobody lost a place to somebody else"),
        ({("paid", "online"): 1}, "One place went to somebody with more points"),
        ({("paid", "online"): 4}, "4 places went to people with more points"),
        ({("paid", "online"): 2, ("emergency", "online"): 2}, "4 places went to people with more points"),
        (
            {("paid", "walk_in"): 1, ("emergency", "online"): 21},
            "22 places went to people with more points, 21 of them from online patients to emergencies",
        ),
    ],
)
def test_displaced(pairs: dict[tuple[str, str], int], said: str) -> None:
    nothing = dict.fromkeys(FATES, 0)
    assert displaced.heading(Displaced(pairs, 0, nothing, nothing), TODAY) == said


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 0, 0, 0), ""),
        ((1, 0, 0, 0), "1 had a place again the same day."),
        ((0, 0, 1, 0), "1 waits for one."),
        (
            (44, 8, 3, 5),
            "44 had a place again the same day, 8 had a place on another day, 3 wait for one and 5 got none.",
        ),
    ],
)
def test_what_became_of_them(numbers: tuple[int, ...], said: str) -> None:
    assert displaced.sentence(dict(zip(FATES, numbers, strict=True))) == said


@pytest.mark.parametrize(
    ("rows", "on", "said"),
    [
        ({}, TODAY, "No estimate can be judged yet"),
        ({}, LAST_MONTH, "No estimate was given"),
        ({"Dr Rao": Kept(12, 6, 11)}, TODAY, "12 estimates are too few to judge"),
        ({"Dr Rao": Kept(100, 53, 91)}, MONTH, "Estimates hold for Dr Rao"),
        ({"Dr Rao": Kept(100, 53, 91), "Dr Nair": Kept(100, 50, 90)}, MONTH, "Estimates hold for all 2 doctors"),
        (
            {"Dr Rao": Kept(100, 53, 91), "Dr Khan": Kept(100, 38, 79), "Dr Nair": Kept(100, 66, 99)},
            MONTH,
            "Estimates hold for 1 of 3 doctors. Too hopeful: Dr Khan. Too careful: Dr Nair",
        ),
    ],
)
def test_estimates(rows: dict[str, Kept], on: Period, said: str) -> None:
    assert estimates.heading(rows, on) == said


# Money


def taken(paid: str, given: str = "0") -> Taken:
    return Taken(3, Decimal(paid), int(given != "0"), Decimal(given))


@pytest.mark.parametrize(
    ("moved", "on", "said"),
    [
        ({}, TODAY, "Nothing has been taken yet"),
        ({}, YESTERDAY, "Nothing was taken"),
        ({("Meena", "upi"): taken("100")}, TODAY, "₹100.00 taken, 0 % of it in cash"),
        (
            {("Meena", "cash"): taken("1000000", "117569.50"), ("Meena", "upi"): taken("1493034")},
            MONTH,
            "₹23,75,464.50 taken, 37 % of it in cash",
        ),
        ({("Meena", "cash"): taken("0", "50"), ("Meena", "upi"): taken("100")}, TODAY, "₹50.00 taken"),
        ({("Meena", "cash"): taken("0", "50")}, TODAY, "−₹50.00 taken"),
    ],
)
def test_taken(moved: dict[tuple[str, str], Taken], on: Period, said: str) -> None:
    assert takings.heading(Takings(moved, {}, Decimal(0)), ground(on)) == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "Nothing has been taken on bills yet"),
        ([("General Medicine", "60")], "₹60.00 taken on bills"),
        ([("General Medicine", "60"), ("ENT", "40")], "General Medicine: 60 % of the ₹100.00 taken on bills"),
        ([("General Medicine", "60"), ("ENT", "-40")], "₹20.00 taken on bills"),
    ],
)
def test_taken_by_department(rows: list[tuple[str, str]], said: str) -> None:
    found = [(name, Decimal(amount)) for name, amount in rows]
    assert takings.heading_by(found, sum((amount for _, amount in found), Decimal(0)), ground()) == said


def shift(difference: str | None, number: int = 1) -> ShiftLine:
    closed, nothing = (NOW if difference is not None else None), Decimal(0)
    off = Decimal(difference) if difference is not None else None
    counted = off if off is None else nothing + off
    return ShiftLine(
        date(2026, 11, 21),
        number,
        "Meena",
        "Drawer 1",
        NOW,
        closed,
        nothing,
        nothing,
        nothing,
        nothing,
        counted,
        off,
        "",
    )


@pytest.mark.parametrize(
    ("found", "on", "said"),
    [
        ([], TODAY, "No shift has been opened"),
        ([], YESTERDAY, "No shift was opened"),
        ([shift(None)], TODAY, "1 shift, not closed yet"),
        ([shift(None), shift(None)], TODAY, "2 shifts, none closed yet"),
        ([shift("0")], TODAY, "The closed shift held what was expected"),
        ([shift("0"), shift("0"), shift(None)], TODAY, "All 2 closed shifts held what was expected; 1 is open"),
        ([shift("0"), shift("-20"), shift("0")], TODAY, "1 of 3 closed shifts has a difference, −₹20.00"),
        ([shift("5"), shift("-20")], TODAY, "2 of 2 closed shifts have a difference, −₹15.00 in all"),
    ],
)
def test_shifts(found: list[ShiftLine], on: Period, said: str) -> None:
    assert takings.heading_of_shifts(found, ground(on)) == said


@pytest.mark.parametrize(
    ("ages", "on", "said"),
    [
        ({}, TODAY, "Nothing is outstanding"),
        ({}, YESTERDAY, "Nothing was outstanding"),
        ({0: "70"}, TODAY, "₹70.00 is outstanding"),
        ({0: "70"}, LAST_MONTH, "₹70.00 was outstanding"),
        ({0: "129370", 5: "27350"}, TODAY, "₹1,56,720.00 is outstanding, 17 % of it for over 90 days"),
        ({0: "129370", 5: "27350"}, LAST_MONTH, "₹1,56,720.00 was outstanding, 17 % of it for over 90 days"),
    ],
)
def test_outstanding(ages: dict[int, str], on: Period, said: str) -> None:
    found = {n: (int(n in ages), Decimal(ages.get(n, "0"))) for n in range(6)}
    assert owed.heading_of_owed(Owed(found, (0, Decimal(0))), ground(on)) == said


@pytest.mark.parametrize(
    ("days", "on", "said"),
    [
        ([], TODAY, "No bill is unpaid"),
        ([], YESTERDAY, "No bill was unpaid"),
        ([0, 0], TODAY, "All unpaid bills are of today"),
        ([0], YESTERDAY, "All unpaid bills were of that day"),
        ([1, 0], TODAY, "The oldest unpaid bill is 1 day old"),
        ([221, 142], LAST_MONTH, "The oldest unpaid bill was 221 days old"),
    ],
)
def test_the_oldest_unpaid(days: list[int], on: Period, said: str) -> None:
    listed = [
        Unpaid("B-1", "P-1", "=Iqbal", on.until - timedelta(days=each), each, Decimal(70), Decimal(50)) for each in days
    ]
    found = Owed({n: (0, Decimal(0)) for n in range(6)} | {0: (3, Decimal(150))}, (0, Decimal(0)), listed)
    drawn = owed.unpaid(found, ground(on))
    assert drawn.heading == said
    assert (drawn.note == f"The {len(days)} oldest of 3. The file has all of them.") == (len(days) < 3)
    if drawn.table:
        ages = {0: "Same day", 1: "1 to 7 days", 142: "Over 90 days", 221: "Over 90 days"}
        assert [row[4:6] for row in drawn.table.rows] == [(each, ages[each]) for each in days]
        assert "'=Iqbal" in drawn.table.as_csv()


@pytest.mark.parametrize("days", [0, 1, 7, 8, 30, 31, 60, 61, 90, 91])
def test_each_age_begins_the_day_after_the_one_before(days: int) -> None:
    assert age_of(days) == sum(days > oldest for oldest in AGES)


@pytest.mark.parametrize(
    ("make", "none", "one", "two"),
    [
        (owed.discounts, "No discount was given", "in 1 discount", "₹60.50 was given away in 3 discounts"),
        (owed.refunds, "No money went back", "₹10.50 went back in 1 refund", "₹60.50 went back in 3 refunds"),
        (owed.credit_notes, "No credit note was written", "by 1 credit note", "₹60.50 was taken off by 3 credit notes"),
        (owed.voids, "No bill was voided", "1 bill was voided, over ₹10.50", "3 bills were voided, over ₹60.50"),
    ],
)
def test_reasons(make: Any, none: str, one: str, two: str) -> None:
    once = Reason("Camp", "Meena", 1, Decimal("10.50"))
    more: list[Any] = [[]] if make is owed.refunds else []
    assert make([], *more, ground()).heading == none
    assert make([once], *more, ground()).heading.endswith(one)
    assert make([once, Reason("Staff", "", 2, Decimal(50))], *more, ground()).heading == two


def test_discounts_by_a_rule_and_by_people_are_told_apart() -> None:
    camp, staff = Reason("Camp", "Meena", 1, Decimal("10.50")), Reason("Staff", "Meena", 2, Decimal(30))
    rule = Reason("Follow-up within 7 days", "", 2, Decimal(50))
    found = owed.discounts([rule, staff, camp], ground())
    assert found.note == "₹50.00 of it by rule, ₹40.50 by people."
    assert found.table is not None
    heads, *rows = found.table.as_csv().splitlines()[:3]
    assert heads == "Reason or rule,Given by,Bills,Amount (INR)"
    assert rows == ["Follow-up within 7 days,By rule,2,50", "Staff,Meena,2,30"]
    assert owed.discounts([], ground()).note == ""


def test_what_went_onto_accounts_has_not_left_the_house() -> None:
    found = owed.refunds([], [Reason("Camp", "Meena", 1, Decimal("10.50"))], ground())
    assert (found.heading, found.note) == (
        "No money went back",
        "₹10.50 more went onto patients’ accounts, where it lies.",
    )
    assert found.table is not None
    assert [cell.text for cell in found.table.shown[0]] == ["Camp (onto the account)", "Meena", "1", "₹10.50"]
