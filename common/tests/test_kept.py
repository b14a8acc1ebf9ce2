"""What is kept for a moment is made once, and made again when it is too old."""

import threading

import pytest

from common.kept import Kept


class Maker:
    """Makes numbers, one higher each time."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_a_value_is_made_once_and_again_when_it_is_too_old() -> None:
    now, maker = [0.0], Maker()
    kept = Kept[int](1, clock=lambda: now[0])
    assert [kept.get("a", maker), kept.get("a", maker), kept.get("b", maker)] == [1, 1, 2]
    now[0] = 1.0
    assert kept.get("a", maker) == 3
    kept.clear()
    assert kept.get("a", maker) == 4


def test_only_so_many_keys_are_kept() -> None:
    maker = Maker()
    kept = Kept[int](60, most=2)
    assert [kept.get(key, maker) for key in ("a", "b", "c", "c", "a")] == [1, 2, 3, 3, 4]


def test_a_failure_is_not_kept() -> None:
    kept = Kept[int](60)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: 7) == 7


def test_who_asks_at_once_gets_one_value() -> None:
    kept, maker, answers = Kept[int](60), Maker(), []
    inside, go = threading.Event(), threading.Event()

    def slow() -> int:
        inside.set()
        go.wait(30)
        return maker()

    threads = [threading.Thread(target=lambda: answers.append(kept.get("a", slow))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert inside.wait(30)
    go.set()
    for thread in threads:
        thread.join(30)
    assert answers == [1] * 8
