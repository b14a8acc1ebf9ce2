"""The rules of the queue as tables of cases, on plain facts. The pictures are those of `test_rules`."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens import queue_rules
from tokens.tests.test_rules import MINUTE, WAITLIST, Board, replace, words


def order(board: Board) -> list[int]:
    return [token.id for token in queue_rules.queue(board.session, board.now)]


def give(board: Board, token_id: int, **values: Any) -> None:
    for name, value in values.items():
        setattr(board.session.tokens[token_id], name, value)


def gone_to_a_test(board: Board, token_id: int, *, back: datetime | None = None) -> None:
    give(board, token_id, status="in_progress", away_at=board.now, back_at=back)


class TestCallOrder:
    @pytest.mark.parametrize(
        ("pictures", "expected"),
        [
            (["online! walk_in! paid!"], [3, 2, 1]),
            (["online! online!"], [1, 2]),
            (["online!", "paid!"], [1, 2]),  # slot by slot in time order
            (["online!", "emergency!"], [2, 1]),  # an emergency, whatever its slot
            (["emergency!", "emergency$!"], [2, 1]),
            (["online", "paid!"], [1, 2]),  # not here yet, and still expected
            (["online! paid?"], [1]),  # who waits for a place is not in the queue
        ],
    )
    def test_emergency_then_slot_by_slot_then_the_order(self, pictures: list[str], expected: list[int]) -> None:
        assert order(Board(*pictures, capacity=9)) == expected

    def test_back_from_a_test_is_behind_emergencies_and_before_everybody_else(self) -> None:
        board = Board("paid! online! emergency! online!", capacity=9)
        gone_to_a_test(board, 4, back=board.now + MINUTE)
        gone_to_a_test(board, 2, back=board.now)
        assert order(board) == [3, 2, 4, 1]

    def test_who_is_away_or_with_the_doctor_or_seen_is_not_in_it(self) -> None:
        board = Board("paid! online! walk_in! online!", capacity=9)
        gone_to_a_test(board, 1)
        give(board, 2, status="in_progress")
        give(board, 3, status="completed")
        assert order(board) == [4]

    def test_ageing_orders_calls(self) -> None:
        policy = replace(WAITLIST, age_points=100, age_every=10, age_limit=500)
        board = Board("follow_up online!", policy=policy, capacity=9, now=0)
        assert order(board) == [2, 1]


class TestCallNext:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({}, 1),
            ({"arrived_at": None}, 2),
            ({"called_at": "now"}, 2),
            ({"held_until": "later"}, 2),
            ({"held_until": "now"}, 1),  # the minutes are over
            ({"held_until": "before"}, 1),
            ({"skipped_after": 3}, 2),
            ({"skipped_after": 2}, 1),  # another has been called since
        ],
    )
    def test_it_takes_the_first_who_can_be_called(self, values: dict[str, Any], expected: int) -> None:
        board = Board("paid! online!", capacity=9)
        board.session.calls = 3
        times = {"now": board.now, "later": board.now + MINUTE, "before": board.now - MINUTE}
        give(board, 1, **{name: times.get(value, value) for name, value in values.items()})
        found = queue_rules.next_to_call(board.session, board.now)
        assert found is not None
        assert found.id == expected

    def test_a_skipped_one_is_called_when_nobody_else_can_be(self) -> None:
        board = Board("paid! online", capacity=9)
        give(board, 1, skipped_after=0)
        found = queue_rules.next_to_call(board.session, board.now)
        assert found is not None
        assert found.id == 1

    @pytest.mark.parametrize("picture", ["", "online paid", "online!?"])
    def test_nobody_where_nobody_is_here(self, picture: str) -> None:
        board = Board(picture, capacity=9)
        assert queue_rules.next_to_call(board.session, board.now) is None

    def test_why_one_is_passed_over(self) -> None:
        board = Board("paid! online walk_in! follow_up! paid!", capacity=9)
        give(board, 3, called_at=board.now)
        give(board, 4, held_until=board.now + MINUTE)
        give(board, 5, skipped_after=0)
        why = [queue_rules.passed_over(board.session.tokens[n], board.session, board.now) for n in range(1, 6)]
        assert why == ["", "not_here", "called", "held", "skipped"]


class TestPeopleAhead:
    def ahead(self, board: Board) -> list[int | None]:
        tokens = board.session.tokens.values()
        return [queue_rules.people_ahead(token, board.session, board.now) for token in tokens]

    def test_those_before_it_in_the_call_order_here_or_expected(self) -> None:
        assert self.ahead(Board("online! paid", "walk_in! emergency", capacity=9)) == [2, 1, 3, 0]

    def test_before_a_waiter_stand_those_with_places_up_to_its_slot_and_those_who_wait_before_it(self) -> None:
        assert self.ahead(Board("online online? paid?", "walk_in", capacity=9)) == [0, 2, 1, 1]

    def test_nobody_counts_for_one_who_is_not_on_the_way_to_the_doctor(self) -> None:
        board = Board("online! paid! online!", capacity=9)
        give(board, 1, status="completed")
        give(board, 2, status="in_progress")
        gone_to_a_test(board, 3)
        assert self.ahead(board) == [None, None, None]


class TestExplain:
    @pytest.mark.parametrize(
        ("pictures", "sentence", "rule"),
        [
            (
                ["online! emergency!"],
                "A-002 stands before A-001: A-002 is an emergency, and an emergency stands above every other token.",
                "emergency",
            ),
            (["online! paid!"], "A-002 stands before A-001: paid, priority paid counts more than online.", "score"),
            (
                ["online! online!"],
                "A-001 stands before A-002: both count the same, and A-001 asked earlier.",
                "time",
            ),
            (["online!", "paid!"], "A-001 stands before A-002: its slot is earlier.", "slot"),
            (["online! paid?"], "A-001 stands before A-002: A-001 holds a place, A-002 waits for a place.", "standing"),
        ],
    )
    def test_one_sentence_says_why_the_first_stands_before_the_second(
        self, pictures: list[str], sentence: str, rule: str
    ) -> None:
        board = Board(*pictures, capacity=9)
        one, two = board.session.tokens[1], board.session.tokens[2]
        said, facts = queue_rules.explain(one, two, board.session, board.now)
        assert (said, facts["rule"]) == (sentence, rule)
        assert queue_rules.explain(two, one, board.session, board.now)[0] == sentence

    def test_back_from_a_test(self) -> None:
        board = Board("paid! online!", capacity=9)
        gone_to_a_test(board, 2, back=board.now)
        said, _ = queue_rules.explain(board.session.tokens[1], board.session.tokens[2], board.session, board.now)
        assert said == "A-002 stands before A-001: A-002 is back from a test in mid-visit."

    def test_the_facts_are_those_that_the_rules_look_at(self) -> None:
        board = Board("online! paid$", capacity=9)
        _, facts = queue_rules.explain(board.session.tokens[1], board.session.tokens[2], board.session, board.now)
        assert facts["A-001"] == {
            "status": "confirmed", "source": "online", "paid": False, "score": 50, "aged_score": 50,
            "slot": "2031-03-03T09:00:00+00:00", "order_time": "2031-03-03T04:01:00+00:00", "arrived": True,
            "passed_over": "",
        }  # fmt: skip


@given(st.lists(st.lists(words, max_size=4), min_size=1, max_size=3))
def test_the_call_order_is_total_and_people_ahead_counts_it(pictures: list[list[str]]) -> None:
    board = Board(*(" ".join(picture) for picture in pictures), capacity=9)
    standing = queue_rules.queue(board.session, board.now)
    assert [queue_rules.people_ahead(t, board.session, board.now) for t in standing] == list(range(len(standing)))


@given(st.lists(words, min_size=2, max_size=5))
def test_call_next_calls_everybody_who_is_here_once_and_in_order(picture: list[str]) -> None:
    board = Board(" ".join(picture), capacity=9)
    here = [token.id for token in queue_rules.queue(board.session, board.now) if token.arrived_at]
    called = []
    while token := queue_rules.next_to_call(board.session, board.now):
        queue_rules.called(board.draft, token)
        called.append(token.id)
    assert called == here
