"""Fuses: high enough for any desk, and cheap."""

import pytest

from common.api.throttling import AddressThrottle, DeviceThrottle, Window


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_window_lets_its_limit_pass_and_says_how_long_to_wait() -> None:
    clock = Clock()
    window = Window(limit=2, seconds=10, clock=clock)
    assert [window.hit("a"), window.hit("a")] == [None, None]
    clock.now += 4
    assert window.hit("a") == pytest.approx(6)
    assert window.hit("b") is None
    clock.now += 6
    assert window.hit("a") is None


def test_no_desk_meets_the_limits() -> None:
    assert DeviceThrottle.window.limit / DeviceThrottle.window.seconds >= 2_000
    assert AddressThrottle.window.limit / AddressThrottle.window.seconds >= 10
