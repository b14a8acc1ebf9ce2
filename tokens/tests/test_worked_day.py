"""The worked day of docs/allocation.md, played through the engine line by line: the page cannot say what is not so.

After a change of the rules, `print("\\n".join(table(...)))` gives the lines that the page should have.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from scheduling.models import Session
from tokens import queries, queue_rules, rules
from tokens.models import Event, Token
from tokens.states import USED
from tokens.tests.factories import Morning, refusal

PAGE = Path(settings.BASE_DIR) / "docs" / "allocation.md"
HEAD = "| clock | what happens | the engine's answer | 09:00 holds | waits | 10:00 holds |"


class Day:
    """Dr Rao's morning of two slots, told as lines of a table."""

    def __init__(self) -> None:
        self.morning = Morning("weighted-waitlist", capacity=3, slots=2)
        Session.objects.filter(pk=self.morning.session.pk).update(prefix="A")
        self.tokens: dict[str, int] = {}
        self.lines: list[str] = []
        self.told = 0

    def ask(self, source: str, name: str, slot: int = 0) -> None:
        """Somebody asks for a place."""
        self.tokens[name] = self.morning.give(source, name, slot)

    def at(self, clock: str, words: str, step: Callable[[], object], *, day: int = 0) -> None:
        """One line of the table: what happens, the events that it makes (or the refusal), and who stands where."""
        self.morning.clock(clock, day)
        answer = step()
        said = answer if isinstance(answer, str) else self.news()
        cells = [clock, words, said, self.holding(0), self.waiting(), self.holding(1)]
        self.lines.append(f"| {' | '.join(cells)} |")

    def news(self) -> str:
        """The events since the last line; that somebody asked is said by the line itself."""
        events = list(Event.objects.filter(id__gt=self.told).order_by("id").select_related("token"))
        self.told = events[-1].id
        return ", ".join(f"{e.token.number} {e.kind.replace('_', ' ')}" for e in events if e.kind != "requested")

    def holding(self, slot: int) -> str:
        """Who uses a place of the slot, in order; with the doctor in bold, seen in parentheses."""
        found = Token.objects.filter(slot=self.morning.slots[slot], status__in=USED)
        shown = {"confirmed": "{}", "in_progress": "**{}**", "completed": "({})"}
        return " ".join(shown[t.status].format(t.number[2:]) for t in sorted(found, key=rules.rank)) or "-"

    def waiting(self) -> str:
        """Who waits, in order."""
        found = Token.objects.filter(session=self.morning.session, status="waitlisted")
        return " ".join(t.number[2:] for t in sorted(found, key=rules.rank)) or "-"

    def refused(self, step: Callable[[], object]) -> str:
        """The code of a refusal."""
        return f"refused: `{refusal(step).code}`"

    def explain(self, first: str, second: str) -> str:
        """Why one stands before the other."""
        session = queries.queue(self.morning.session.pk).session
        a, b = (session.tokens[self.tokens[name]] for name in (first, second))
        return queue_rules.explain(a, b, session, self.morning.now)[0]


def play(day: Day) -> None:
    """The story, as the page tells it."""
    morning, of = day.morning, day.tokens
    before = {"day": -1}
    day.at("18:00", "Anita asks online", lambda: day.ask("online", "Anita"), **before)
    day.at("18:10", "Bala is given a follow-up", lambda: day.ask("follow_up", "Bala"), **before)
    day.at("18:20", "Chitra asks online: now it is full", lambda: day.ask("online", "Chitra"), **before)
    day.at("18:30", "Deepa asks online", lambda: day.ask("online", "Deepa"), **before)
    day.at("08:40", "Esha walks in and takes 10:00", lambda: day.ask("walk_in", "Esha", 1))
    day.at("08:45", "Anita is here", lambda: morning.arrive(of["Anita"]))
    day.at("08:50", "Bala is here", lambda: morning.arrive(of["Bala"]))
    day.at("08:55", "Farid walks in and wants 09:00", lambda: day.ask("walk_in", "Farid"))
    day.at("09:00", "Dr Rao calls the next", morning.call_next)
    day.at("09:01", "Bala goes in", lambda: morning.start(of["Bala"]))
    day.at("09:05", "Gopal is an emergency", lambda: day.ask("emergency", "Gopal"))
    day.at("09:10", "Bala has been seen", lambda: morning.complete(of["Bala"]))
    day.at("09:10", "Dr Rao calls the next", morning.call_next)
    day.at("09:11", "Gopal goes in", lambda: morning.start(of["Gopal"]))
    day.at("09:15", "Farid cannot wait and cancels", lambda: morning.cancel(of["Farid"]))
    day.at("09:17", "Farid would rather stay: undo", lambda: day.refused(lambda: morning.undo(of["Farid"])))
    day.at("09:25", "Gopal has been seen", lambda: morning.complete(of["Gopal"]))
    day.at("09:25", "Dr Rao calls the next", morning.call_next)
    day.at("09:30", "Anita does not come in", lambda: morning.no_show(of["Anita"]))
    day.at("09:35", "Chitra is here", lambda: morning.arrive(of["Chitra"]))
    day.at("09:36", "Dr Rao calls the next", morning.call_next)
    day.at("09:37", "too early: Dr Rao takes the call back", lambda: morning.undo(of["Chitra"]))
    day.at("09:45", "Anita is back from the canteen", lambda: morning.come_late(of["Anita"]))
    day.at("09:50", "Dr Rao calls the next", morning.call_next)
    day.at("09:51", "Chitra goes in", lambda: morning.start(of["Chitra"]))
    day.at("10:00", "the first slot is over", morning.settle)
    day.at("10:05", "Chitra has been seen", lambda: morning.complete(of["Chitra"]))
    day.at("10:05", "why Esha before Anita?", lambda: day.explain("Esha", "Anita"))
    day.at("10:05", "Dr Rao calls the next", morning.call_next)
    day.at("10:06", "Esha goes in", lambda: morning.start(of["Esha"]))
    day.at("10:20", "Esha has been seen", lambda: morning.complete(of["Esha"]))
    day.at("10:20", "Dr Rao calls the next", morning.call_next)
    day.at("10:21", "Anita goes in", lambda: morning.start(of["Anita"]))
    day.at("10:35", "Anita has been seen", lambda: morning.complete(of["Anita"]))
    day.at("11:00", "the session is closed", morning.close)


@pytest.mark.django_db
def test_the_worked_day_is_what_the_engine_does() -> None:
    """Every line of the table is what the engine answers today."""
    day = Day()
    play(day)
    page = PAGE.read_text().splitlines()
    start = page.index(HEAD) + 2
    assert page[start : start + len(day.lines)] == day.lines, "\n".join(day.lines)
    assert not page[start + len(day.lines)].startswith("|")
