"""The rules of allocation as tables of cases, on plain facts: no database, no clock.

A picture of a slot is a word for each token: `paid`, `online`, with marks for what else is known of it. `!` arrived,
`c` called, `o` overbooked, `?` waits for the slot, `$` paid for; the order of the words is the order of their requests.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens import rules
from tokens.facts import PRESETS, Draft, NeedLater, Policy, SessionFacts, SlotFacts, TokenFacts
from tokens.states import TRANSITIONS, Source, Status, may_become

NINE = datetime(2031, 3, 3, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

WAITLIST, OVERBOOK = PRESETS["weighted-waitlist"], PRESETS["ranked-overbook"]
NEXT, CONSIDERATE = PRESETS["ranked-next-slot"], PRESETS["considerate"]


class Board:
    """A session from 09:00 on with slots of an hour, and the tokens of their pictures.

    Args:
        pictures: one a slot; the tokens get the ids 1, 2, 3 ... in the order in which they are read.
        now: minutes after 09:00.
    """

    def __init__(
        self,
        *pictures: str,
        policy: Policy = WAITLIST,
        capacity: int = 2,
        now: int = -60,
        delay: int = 0,
        day: int = 0,
        session_id: int = 1,
        first_id: int = 1,
    ) -> None:
        start = NINE + day * 24 * HOUR
        self.session = SessionFacts(
            id=session_id, facility_id=1, department_id=1, doctor_id=1, room_id=1, date=date(2031, 3, 3 + day),
            starts_at=start, ends_at=start + len(pictures) * HOUR, status="open", prefix="A", last_number=0, calls=0,
            delay_minutes=delay, paused_at=None, closed_at=None, version=1, events=0, last_event_at=None, policy=policy,
        )  # fmt: skip
        self.now = NINE + now * MINUTE
        self.ids = iter(range(first_id, first_id + 1000))
        for index, picture in enumerate(pictures):
            slot_id = session_id * 100 + index
            opens = start + index * HOUR
            slot = SlotFacts(slot_id, session_id, opens, opens + HOUR, capacity, "open", 0, 0)
            self.session.slots.append(slot)
            for word in picture.split():
                self.put(word, slot)
        self.draft = Draft([self.session], self.now)

    def put(self, word: str, slot: SlotFacts) -> TokenFacts:
        token = self.token(word, slot)
        token.status = Status.WAITLISTED.value if "?" in word else Status.CONFIRMED.value
        self.session.last_number += 1
        token.number = f"A-{self.session.last_number:03d}"
        self.session.tokens[token.id] = token
        if token.uses_place:
            slot.used += 1
            slot.overbooked += token.overbooked
        return token

    def token(self, word: str, slot: SlotFacts) -> TokenFacts:
        """A token that nothing knows of yet."""
        source, marks = word.rstrip("!co?$"), word
        token_id = next(self.ids)
        paid = "$" in marks or source == "paid"
        when = NINE - 5 * HOUR + token_id * MINUTE
        return TokenFacts(
            id=token_id, session_id=self.session.id, slot_id=slot.id, patient_id=token_id, source=source,
            status=Status.REQUESTED.value, requested_at=when, order_at=when, paid=paid,
            score=rules.score(source, paid, self.session.policy), overbooked="o" in marks.removeprefix(source),
            arrived_at=NINE - HOUR if "!" in marks else None, call_count=1 if "c" in marks.removeprefix(source) else 0,
            overbooked_by_id=1 if "o" in marks.removeprefix(source) else None,
        )  # fmt: skip

    def slot(self, index: int) -> SlotFacts:
        return self.session.slots[index]

    def ask(self, word: str, index: int = 0) -> TokenFacts:
        """A newcomer asks for a slot, after the session was settled, and it is settled again."""
        rules.settle(self.draft)
        token = self.token(word, self.slot(index))
        rules.request(self.draft, token, self.slot(index), {})
        rules.settle(self.draft)
        return token

    def holding(self, index: int = 0) -> list[int]:
        """Who holds a place, in order."""
        tokens = [t for t in self.session.tokens.values() if t.slot_id == self.slot(index).id and t.uses_place]
        return [t.id for t in sorted(tokens, key=rules.rank)]

    def waiting(self, index: int = 0) -> list[int]:
        tokens = [t for t in self.session.tokens.values() if t.slot_id == self.slot(index).id]
        return [t.id for t in sorted(tokens, key=rules.rank) if t.status == "waitlisted"]

    def told(self) -> list[tuple[int, str]]:
        return [(event.token_id, event.kind) for event in self.draft.events]


@pytest.mark.parametrize(
    ("source", "paid", "weighted", "ranked"),
    [
        ("emergency", False, 1000, 500),
        ("emergency", True, 1300, 500),
        ("paid", True, 300, 400),
        ("follow_up", False, 200, 300),
        ("follow_up", True, 500, 400),
        ("walk_in", False, 100, 100),
        ("walk_in", True, 400, 400),
        ("online", False, 50, 200),
        ("online", True, 350, 400),
    ],
)
def test_score(source: str, paid: bool, weighted: int, ranked: int) -> None:
    assert rules.score(source, paid, WAITLIST) == weighted
    assert rules.score(source, paid, OVERBOOK) == rules.score(source, paid, NEXT) == ranked


@pytest.mark.parametrize(
    ("picture", "order"),
    [
        ("online walk_in", [2, 1]),
        ("walk_in online", [1, 2]),
        ("paid emergency", [2, 1]),
        ("online online online", [1, 2, 3]),
        ("paid online$ walk_in$", [3, 2, 1]),
        ("follow_up$ emergency paid", [2, 1, 3]),
        ("emergency emergency$", [2, 1]),
    ],
)
def test_the_order_is_emergency_then_score_then_time(picture: str, order: list[int]) -> None:
    assert Board(picture, capacity=9).holding() == order


def test_the_order_at_the_same_moment_is_by_id() -> None:
    board = Board("online online", capacity=9)
    for token in board.session.tokens.values():
        token.order_at = NINE
    assert board.holding() == [1, 2]


@pytest.mark.parametrize(
    ("waited", "points", "every", "limit", "gained"),
    [
        (0, 10, 15, 100, 0), (14, 10, 15, 100, 0), (15, 10, 15, 100, 10), (59, 10, 15, 100, 30),
        (600, 10, 15, 100, 100), (60, 0, 15, 100, 0), (60, 10, 0, 100, 0), (-5, 10, 15, 100, 0),
    ],
)  # fmt: skip
def test_ageing_gains_points_for_each_full_step_since_the_arrival(
    waited: int, points: int, every: int, limit: int, gained: int
) -> None:
    policy = replace(WAITLIST, age_points=points, age_every=every, age_limit=limit)
    board = Board("online!", policy=policy)
    token = board.session.tokens[1]
    assert token.arrived_at is not None
    assert rules.aged_score(token, policy, token.arrived_at + waited * MINUTE) == 50 + gained
    assert rules.aged_score(replace(token, arrived_at=None), policy, NINE + 99 * HOUR) == 50


@pytest.mark.parametrize(
    ("now", "delay", "begun", "over"),
    [
        (-1, 0, False, False), (0, 0, True, False), (59, 0, True, False), (60, 0, True, True),
        (0, 30, False, False), (29, 30, False, False), (30, 30, True, False), (89, 30, True, False),
        (90, 30, True, True),
    ],
)  # fmt: skip
def test_a_slot_begins_and_ends_with_the_doctor_s_delay(now: int, delay: int, begun: bool, over: bool) -> None:
    board = Board("", now=now, delay=delay)
    assert rules.begun(board.slot(0), board.session, board.now) is begun
    assert rules.over(board.slot(0), board.session, board.now) is over


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_a_slot_is_over_when_its_session_closes(status: str) -> None:
    board = Board("")
    board.session.status = status
    assert rules.over(board.slot(0), board.session, board.now)


@pytest.mark.parametrize(
    ("policy", "word", "now", "may"),
    [
        (CONSIDERATE, "online", -1, True), (CONSIDERATE, "online", 0, False), (CONSIDERATE, "online!", 0, True),
        (CONSIDERATE, "emergency", 0, False), (WAITLIST, "online", 0, True),
    ],
)  # fmt: skip
def test_once_the_slot_has_begun_only_the_arrived_qualify_where_the_policy_says(
    policy: Policy, word: str, now: int, may: bool
) -> None:
    board = Board("", policy=policy, now=now)
    assert rules.qualifies(board.token(word, board.slot(0)), board.slot(0), board.draft) is may


@pytest.mark.parametrize(
    ("policy", "holder", "newcomer", "loses"),
    [
        (WAITLIST, "online", "walk_in", True),
        (WAITLIST, "walk_in", "walk_in", False),  # an equal score never displaces
        (WAITLIST, "walk_in", "online", False),
        (WAITLIST, "paid", "follow_up", False),
        (WAITLIST, "online", "follow_up$", True),
        (WAITLIST, "onlinec", "paid", False),  # called
        (WAITLIST, "onlinec", "emergency", False),
        (WAITLIST, "onlineo", "emergency", False),  # overbooked
        (WAITLIST, "online!", "paid", True),
        (WAITLIST, "paid!", "emergency", True),
        (WAITLIST, "follow_up$", "emergency", True),
        (WAITLIST, "emergency", "emergency$", False),
        (OVERBOOK, "walk_in", "online", True),  # the ranked table has it the other way round
        (CONSIDERATE, "online", "paid", False),
        (CONSIDERATE, "online", "emergency", True),
        (CONSIDERATE, "online!", "emergency", True),
        (replace(WAITLIST, protect_arrived=True), "online!", "paid", False),
        (replace(WAITLIST, protect_arrived=True), "online", "paid", True),
    ],
)
def test_displaceable(policy: Policy, holder: str, newcomer: str, loses: bool) -> None:
    board = Board(holder, policy=policy, capacity=1)
    token = board.token(newcomer, board.slot(0))
    assert (rules.loser(board.draft, board.slot(0), token) is not None) is loses


@pytest.mark.parametrize(
    ("policy", "picture", "newcomer", "loser"),
    [
        (WAITLIST, "online online online", "paid", 3),  # the last in the order
        (WAITLIST, "online walk_in online", "paid", 3),
        (WAITLIST, "paid online walk_in", "emergency", 2),
        (WAITLIST, "online! walk_in", "paid", 1),  # who is here counts only where the policy says so
        (CONSIDERATE, "online! walk_in", "emergency", 2),
        (CONSIDERATE, "online! paid! walk_in!", "emergency", 1),
        (CONSIDERATE, "online! paid follow_up", "emergency", 3),
        (WAITLIST, "online onlinec", "paid", 1),
        (WAITLIST, "onlinec onlineo", "paid", None),
    ],
)
def test_the_loser_is_the_last_in_order_and_the_absent_first_where_the_arrived_are_protected(
    policy: Policy, picture: str, newcomer: str, loser: int | None
) -> None:
    board = Board(picture, policy=policy, capacity=3)
    found = rules.loser(board.draft, board.slot(0), board.token(newcomer, board.slot(0)))
    assert (found.id if found else None) == loser


class TestRequest:
    def test_a_free_place_is_confirmed(self) -> None:
        board = Board("online")
        assert board.ask("walk_in").status == "confirmed"
        assert board.told() == [(2, "requested"), (2, "confirmed")]

    @pytest.mark.parametrize("newcomer", ["online", "walk_in", "follow_up", "paid"])
    def test_full_without_a_lower_token_it_waits(self, newcomer: str) -> None:
        board = Board("paid paid$", capacity=2)
        assert board.ask(newcomer).status == "waitlisted"
        assert board.told()[-1] == (3, "waitlisted")

    def test_a_higher_one_takes_the_place_of_the_last_which_waits_with_score_and_time_kept(self) -> None:
        board = Board("online online", capacity=2)
        before = replace(board.session.tokens[2])
        board.ask("paid")
        assert (board.holding(), board.waiting()) == ([3, 1], [2])
        assert board.told() == [(3, "requested"), (2, "displaced"), (3, "confirmed")]
        after = board.session.tokens[2]
        assert (after.score, after.order_at, after.slot_id) == (before.score, before.order_at, before.slot_id)

    def test_the_displaced_one_s_event_names_its_cause(self) -> None:
        board = Board("online", capacity=1)
        board.ask("paid")
        assert [e.cause for e in board.draft.events] == [None, (2, 1), (2, 1)]

    def test_an_emergency_displaces_the_lowest(self) -> None:
        board = Board("paid online", capacity=2)
        board.ask("emergency")
        assert (board.holding(), board.waiting()) == ([3, 1], [2])

    def test_an_emergency_is_overbooked_where_the_policy_lets_it(self) -> None:
        board = Board("online", policy=OVERBOOK, capacity=1)
        token = board.ask("emergency")
        assert (token.status, token.overbooked, board.slot(0).used, board.slot(0).overbooked) == (
            "confirmed",
            True,
            2,
            1,
        )
        assert board.told()[-1] == (2, "overbooked")

    @pytest.mark.parametrize(
        ("later", "place", "displaced"),
        [
            (["online"], 1, None),  # a free place
            (["online online"], 1, 4),  # a displaceable token
            (["onlinec onlinec", "online"], 2, None),
            (["emergency emergency", "onlinec online"], 2, 6),
        ],
    )
    def test_an_emergency_that_nobody_gives_way_to_goes_on_through_the_later_slots_in_order(
        self, later: list[str], place: int, displaced: int | None
    ) -> None:
        board = Board("onlinec onlinec", *later)
        token = board.ask("emergency")
        assert (token.status, token.slot_id) == ("confirmed", board.slot(place).id)
        assert [event.token_id for event in board.draft.events if event.kind == "displaced"] == (
            [displaced] if displaced else []
        )

    def test_an_emergency_without_any_place_waits_first_in_line_and_for_every_later_slot(self) -> None:
        board = Board("onlinec paid?", "onlinec", capacity=1)
        token = board.ask("emergency")
        assert board.waiting() == [token.id, 2]
        assert rules.waits_for(token, board.slot(1), board.draft)
        assert not rules.waits_for(board.session.tokens[2], board.slot(1), board.draft)

    def test_step_two_nobody_who_stands_before_is_passed(self) -> None:
        """Its only call undone, the online one can lose its place again: to the first who waits, not to who asks."""
        board = Board("online paid?", capacity=1)
        token = board.ask("follow_up")
        assert (board.holding(), board.waiting()) == ([2], [token.id, 1])

    def test_step_two_does_not_decide_those_who_stand_behind(self) -> None:
        board = Board("online walk_in?", capacity=1)
        token = board.ask("paid")
        assert (board.holding(), board.waiting()) == ([token.id], [2, 1])

    def test_only_an_emergency_displaces_where_the_policy_says_so(self) -> None:
        board = Board("online", policy=CONSIDERATE, capacity=1)
        assert board.ask("paid").status == "waitlisted"
        assert board.ask("emergency").status == "confirmed"

    def test_who_is_not_here_gets_no_place_in_a_begun_slot_even_a_free_one(self) -> None:
        board = Board("", policy=CONSIDERATE, now=5)
        assert board.ask("online").status == "waitlisted"
        assert board.ask("walk_in!").status == "confirmed"


class TestNextSlot:
    def test_a_newcomer_to_a_full_slot_is_confirmed_in_the_first_later_one_with_a_free_place(self) -> None:
        board = Board("paid", "paid", "", policy=NEXT, capacity=1)
        token = board.ask("online")
        assert (token.status, token.slot_id) == ("confirmed", board.slot(2).id)

    def test_a_displaced_one_goes_there_without_a_chain_of_displacements(self) -> None:
        board = Board("follow_up", "online", "", policy=NEXT, capacity=1)
        board.ask("paid")
        assert [board.holding(n) for n in range(3)] == [[3], [2], [1]]
        assert board.told() == [(3, "requested"), (1, "displaced"), (3, "confirmed")]

    def test_a_newcomer_who_finds_none_is_cancelled_and_still_recorded(self) -> None:
        board = Board("paid", policy=NEXT, capacity=1)
        token = board.ask("online")
        assert (token.status, board.draft.events[-1].reason) == ("cancelled", "no_place")
        assert token.number == "A-002"

    def test_a_displaced_one_who_finds_none_is_cancelled(self) -> None:
        board = Board("online", policy=NEXT, capacity=1)
        board.ask("paid")
        assert board.told() == [(2, "requested"), (1, "displaced"), (1, "cancelled"), (2, "confirmed")]

    def test_or_waits_where_the_policy_says_so(self) -> None:
        board = Board("online", policy=replace(NEXT, no_next_slot="waitlist"), capacity=1)
        board.ask("paid")
        assert board.waiting() == [1]

    def test_an_emergency_is_never_cancelled_by_it(self) -> None:
        board = Board("onlinec", policy=NEXT, capacity=1)
        assert board.ask("emergency").status == "waitlisted"

    def test_who_is_here_and_protected_is_never_cancelled_by_it(self) -> None:
        board = Board("online!", policy=replace(NEXT, protect_arrived=True), capacity=1)
        board.ask("emergency")
        assert board.waiting() == [1]

    def test_it_asks_for_the_doctor_s_later_sessions(self) -> None:
        board = Board("online", policy=NEXT, capacity=1)
        board.draft.may_extend = True
        with pytest.raises(NeedLater):
            board.ask("paid")

    @pytest.mark.parametrize(
        ("days", "day", "protected", "found"),
        [(7, 7, "", True), (7, 8, "", False), (0, 1, "", False), (7, 1, "!", False), (7, 0, "!", True)],
    )
    def test_it_looks_so_many_days_ahead_and_for_the_protected_no_further_than_today(
        self, days: int, day: int, protected: str, found: bool
    ) -> None:
        policy = replace(NEXT, next_slot_days=days, protect_arrived=True)
        board = Board(f"online{protected}", policy=policy, capacity=1)
        later = Board("", policy=policy, day=day, session_id=2, first_id=500)
        if day == 0:
            for slot in later.session.slots:
                slot.starts_at, slot.ends_at = slot.starts_at + 8 * HOUR, slot.ends_at + 8 * HOUR
        board.draft.sessions[2] = later.session
        token = board.session.tokens[1]
        target = rules.next_slot(board.draft, token, board.slot(0), days=0 if protected else days)
        assert (target is later.session.slots[0]) is found

    def test_another_session_gives_a_number_and_clears_calls_another_date_the_arrival_too(self) -> None:
        board = Board("online!c", policy=NEXT, capacity=1)
        tomorrow = Board("", policy=NEXT, day=1, session_id=2, first_id=500)
        board.draft.sessions[2] = tomorrow.session
        values = rules.relocation(board.draft, board.session.tokens[1], tomorrow.slot(0))
        assert values == {
            "slot_id": 200, "session_id": 2, "number": "A-001", "called_at": None, "call_count": 0,
            "held_until": None, "skipped_after": None, "arrived_at": None,
        }  # fmt: skip

    def test_a_session_in_which_the_patient_holds_a_token_is_passed_over(self) -> None:
        board = Board("online", policy=NEXT, capacity=1)
        tomorrow = Board("online", policy=NEXT, day=1, session_id=2, first_id=500)
        tomorrow.session.tokens[500].patient_id = 1
        board.draft.sessions[2] = tomorrow.session
        assert rules.next_slot(board.draft, board.session.tokens[1], board.slot(0), days=7) is None


class TestSettle:
    def test_the_overbooked_get_the_free_place_first(self) -> None:
        board = Board("onlineo paid?", capacity=1)
        rules.settle(board.draft)
        assert board.told() == [(1, "normalised")]
        assert board.waiting() == [2]

    def test_then_the_best_who_wait(self) -> None:
        board = Board("online? paid? walk_in? paid?", capacity=3)
        rules.settle(board.draft)
        assert board.told() == [(2, "promoted"), (4, "promoted"), (3, "promoted")]

    def test_ageing_orders_promotions(self) -> None:
        policy = replace(WAITLIST, age_points=20, age_every=10, age_limit=200)
        board = Board("follow_up? online!?", policy=policy, capacity=1, now=30)
        rules.settle(board.draft)
        assert board.holding() == [2]

    def test_nobody_is_promoted_into_a_slot_that_is_over_or_blocked(self) -> None:
        late = Board("online?", now=60)
        blocked = Board("online?")
        blocked.slot(0).status = "blocked"
        for board in (late, blocked):
            rules.settle(board.draft)
            assert board.told() == []

    def test_who_waits_in_a_slot_that_is_over_or_blocked_waits_for_the_later_ones(self) -> None:
        board = Board("online? paid?", "walk_in", "", capacity=1, now=60)
        rules.settle(board.draft)
        assert [board.holding(n) for n in range(3)] == [[], [3], [2]]
        assert board.waiting(0) == [1]

    def test_a_waiting_emergency_waits_for_the_later_slots_anyway(self) -> None:
        board = Board("onlinec emergency? paid?", "online", capacity=1)
        board.slot(1).capacity = 2
        rules.settle(board.draft)
        assert board.told() == [(2, "promoted")]
        assert board.session.tokens[2].slot_id == board.slot(1).id

    def test_slots_are_settled_in_time_order(self) -> None:
        board = Board("emergency?", "", "", capacity=1)
        rules.settle(board.draft)
        assert board.holding(0) == [1]

    def test_only_those_who_qualify_are_promoted(self) -> None:
        board = Board("paid? online!?", policy=CONSIDERATE, now=1)
        rules.settle(board.draft)
        assert board.told() == [(2, "promoted")]


class TestTheTokenItself:
    def test_a_late_return_takes_the_return_as_order_and_arrival_and_displaces_nobody(self) -> None:
        board = Board("onlinec", "online", capacity=1)
        late = board.session.tokens[1]
        board.draft.change(late, "no_show", status="no_show")
        board.put("walk_in", board.slot(0))
        rules.late_return(board.draft, late, board.slot(0))
        assert (late.status, late.order_at, late.arrived_at, late.call_count) == ("waitlisted", board.now, board.now, 0)
        assert late.number == "A-001"

    def test_a_confirmed_token_raised_to_emergency_keeps_its_slot_and_has_arrived(self) -> None:
        board = Board("online")
        token = board.session.tokens[1]
        rules.raise_to_emergency(board.draft, token, board.slot(0), arrived_at=board.now, paid=False)
        assert (token.source, token.score, token.status, token.arrived_at) == (
            "emergency",
            1000,
            "confirmed",
            board.now,
        )
        assert board.told() == [(1, "rescored")]

    def test_a_waiting_token_raised_to_emergency_is_decided_in_the_slot_asked_for(self) -> None:
        board = Board("paid", "paid online?", capacity=1)
        token = board.session.tokens[3]
        rules.raise_to_emergency(board.draft, token, board.slot(0), arrived_at=None, paid=False)
        assert (token.status, token.slot_id, token.arrived_at) == ("confirmed", board.slot(0).id, None)
        assert board.waiting(0) == [1]

    def test_paying_later_decides_a_waiter_again_at_once(self) -> None:
        board = Board("walk_in online?", capacity=1)
        rules.pay(board.draft, board.session.tokens[2])
        assert board.told() == [(2, "rescored"), (1, "displaced"), (2, "promoted")]

    def test_a_waiter_who_finds_no_place_stays_where_it_waits(self) -> None:
        board = Board("paid$ online?", "", policy=NEXT, capacity=1)
        rules.pay(board.draft, board.session.tokens[2])
        assert board.waiting() == [2]

    def test_cancelling_an_overbooked_token_frees_no_place(self) -> None:
        board = Board("online onlineo walk_in?", capacity=1)
        rules.cancel(board.draft, board.session.tokens[2], "why")
        rules.settle(board.draft)
        assert board.told() == [(2, "cancelled")]

    def test_positions_have_no_gaps(self) -> None:
        board = Board("online paid walk_in? paid? online?", capacity=2)
        tokens = [board.session.tokens[n] for n in (2, 1, 4, 3, 5)]
        assert [rules.position(board.draft, token) for token in tokens] == [1, 2, 1, 2, 3]


def test_transitions_are_those_of_the_table_and_no_others() -> None:
    allowed = {
        "requested": {"confirmed", "waitlisted", "cancelled"},
        "confirmed": {"waitlisted", "in_progress", "cancelled", "no_show"},
        "waitlisted": {"confirmed", "cancelled"},
        "in_progress": {"completed", "cancelled"},
        "completed": set(),
        "cancelled": set(),
        "no_show": {"confirmed", "waitlisted"},
    }
    assert {a: {b for b in Status if b != a and may_become(a, b)} for a in TRANSITIONS} == allowed


# Properties

words = st.builds(
    lambda source, marks: source + "".join(sorted(marks)),
    st.sampled_from(list(Source)),
    st.sets(st.sampled_from(["!", "c", "$"]), max_size=3),
)
policies = st.builds(
    Policy, name=st.just("any"), combine=st.sampled_from(["sum", "best"]), weights=st.just(WAITLIST.weights),
    emergency=st.sampled_from(["displace", "overbook"]), displacement=st.sampled_from(["any_higher", "emergency_only"]),
    without_place=st.sampled_from(["waitlist", "next_slot"]), no_next_slot=st.sampled_from(["waitlist", "cancel"]),
    protect_arrived=st.booleans(), present_only=st.booleans(),
)  # fmt: skip
asked = st.lists(st.tuples(words, st.integers(0, 2)), max_size=12)


def played(policy: Policy, wishes: list[tuple[str, int]], capacity: int, now: int) -> Board:
    board = Board("", "", "", policy=policy, capacity=capacity, now=now)
    for word, index in wishes:
        token = board.ask(word, index)
        token.number = token.number or "-"
    return board


@given(policies, asked, st.integers(1, 3), st.sampled_from([-30, 10]))
def test_the_same_state_and_requests_always_give_the_same_decisions(
    policy: Policy, wishes: list[tuple[str, int]], capacity: int, now: int
) -> None:
    one, two = played(policy, wishes, capacity, now), played(policy, wishes, capacity, now)
    assert one.session.tokens == two.session.tokens
    assert one.draft.events == two.draft.events


@given(policies, asked, st.integers(1, 3), st.sampled_from([-30, 10]))
def test_capacity_is_never_exceeded_but_by_the_overbooked(
    policy: Policy, wishes: list[tuple[str, int]], capacity: int, now: int
) -> None:
    board = played(policy, wishes, capacity, now)
    for slot in board.session.slots:
        holding = [t for t in board.session.tokens.values() if t.slot_id == slot.id and t.uses_place]
        assert slot.used == len(holding)
        assert slot.overbooked == sum(t.overbooked for t in holding)
        assert slot.used - slot.overbooked <= capacity
        assert policy.emergency == "overbook" or slot.overbooked == 0


@given(policies, asked, st.integers(1, 3), st.sampled_from([-30, 10]))
def test_displacement_is_only_by_the_strictly_higher(
    policy: Policy, wishes: list[tuple[str, int]], capacity: int, now: int
) -> None:
    board = played(policy, wishes, capacity, now)
    for event in board.draft.events:
        if event.kind == "displaced" and event.cause is not None:
            winner, lost = board.session.tokens[event.cause[0]], board.session.tokens[event.token_id]
            assert not lost.emergency
            assert winner.emergency or (policy.displacement == "any_higher" and winner.score > lost.score)


@given(asked, st.integers(1, 3))
def test_nobody_waits_above_a_lower_one_who_can_lose_its_place(wishes: list[tuple[str, int]], capacity: int) -> None:
    board = played(WAITLIST, wishes, capacity, -30)
    for slot in board.session.slots:
        for waiter in rules.waiters(board.draft, slot):
            held = [t for t in rules.removable(board.draft, slot) if not t.emergency]
            assert all(t.score >= waiter.score for t in held)
            assert not slot.free


@given(st.lists(words, min_size=1, max_size=8), st.integers(1, 8))
def test_promotions_are_in_order(waiting: list[str], capacity: int) -> None:
    board = Board(" ".join(f"{word}?" for word in waiting), capacity=capacity)
    order = [t.id for t in sorted(board.session.tokens.values(), key=rules.rank)]
    rules.settle(board.draft)
    assert [token_id for token_id, _ in board.told()] == order[:capacity]


@given(st.sampled_from(list(Source)), st.booleans(), policies)
def test_the_score_is_a_pure_function_and_payment_never_lowers_it(source: Source, paid: bool, policy: Policy) -> None:
    assert rules.score(source, paid, policy) == rules.score(source, paid, replace(policy, name="other", id=9))
    assert rules.score(source, True, policy) >= rules.score(source, False, policy)
