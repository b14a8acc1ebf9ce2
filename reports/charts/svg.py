"""Elements of SVG, and a scale of round numbers. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString

Value = str | int | float


def element(name: str, /, *inside: str, **attributes: Value) -> SafeString:
    """An element. What is inside is escaped unless it is markup already; attributes always are.

    Args:
        attributes: `class_` is the class; other underscores become dashes.
    """
    written = "".join(f' {_name(key)}="{escape(value)}"' for key, value in attributes.items() if value != "")
    content = together(inside)
    return SafeString(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


def _name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")


def together(parts: Iterable[str]) -> SafeString:
    """Markup one after the other; what is no markup is escaped."""
    return SafeString("".join(conditional_escape(part) for part in parts if part))


def percent(share: float) -> str:
    """A place on the picture: 0.5 is 50%."""
    return f"{round(100 * share, 2):g}%"


def drawing(height: int, words: str, *marks: str, width: str = "100%") -> SafeString:
    """A picture with its name; without words it says nothing to a screen reader."""
    told: dict[str, Value] = {"role": "img", "aria_label": words} if words else {"aria_hidden": "true"}
    return element("svg", *marks, class_="ch", width=width, height=height, **told)


def line(class_: str, x1: float, x2: float, y1: float, y2: float) -> SafeString:
    """A line from one place to another: shares of the width, pixels of the height."""
    return element("line", class_=class_, x1=percent(x1), x2=percent(x2), y1=f"{y1:g}", y2=f"{y2:g}")


def rect(class_: str, x: float, width: float, y: float, height: float) -> SafeString:
    """A filled or hollow box."""
    return element(
        "rect", class_=class_, x=percent(x), width=percent(max(0, width)), y=f"{y:g}", height=f"{max(0, height):g}"
    )


def text(words: str, x: float, y: float, *, class_: str = "", anchor: str = "", dx: float = 0) -> SafeString:
    """Words at a place: `anchor` is start, middle or end."""
    return element(
        "text",
        words,
        class_=class_,
        x=percent(x),
        y=f"{y:g}",
        dx=f"{dx:g}" if dx else "",
        text_anchor="" if anchor == "start" else anchor,
    )


def anchor_at(x: float, margin: float = 0.18) -> str:
    """How words at a place are anchored, so that they stay within the picture."""
    return "start" if x < margin else "end" if x > 1 - margin else "middle"


_STEPS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 360, 480, 720, 1440)


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to a round number, in equal steps."""

    step: float
    steps: int

    @property
    def top(self) -> float:
        """Where it ends."""
        return self.step * self.steps

    def at(self, value: float) -> float:
        """Where a value lies, from 0 to 1; what is beyond the end lies there."""
        return min(1.0, max(0.0, value / self.top))

    @property
    def marks(self) -> list[float]:
        """The values of the steps, 0 first."""
        return [self.step * n for n in range(self.steps + 1)]


def minutes_scale(longest: float, most: int = 6) -> Scale:
    """A scale for minutes: quarter hours, hours and the like, at most so many steps."""
    step = next((step for step in _STEPS if longest <= step * most), _STEPS[-1])
    return Scale(step, max(1, int(-(-longest // step))))


def share_scale(highest: float) -> Scale:
    """A scale for shares in per cent, two or three steps."""
    step = next((step for step in (1, 2, 5, 10, 20, 25) if highest <= step * 3), 50)
    return Scale(step, max(1, int(-(-highest // step))))


def count_scale(highest: float) -> Scale:
    """A scale for numbers of things or amounts, at most three steps of 1, 2 or 5 with zeros."""
    step = 1
    while highest > step * 3:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return Scale(step, max(1, int(-(-highest // step))))
