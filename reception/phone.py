"""What the holder of a slip may know and do: the state of one visit, as the patient's own page shows it. Pure.

Nothing here says who somebody is, what they have, what they paid or why somebody stands before them: a number, a room,
a doctor, how many are ahead, how late it is.
"""

import datetime as dt
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from tokens import queue_rules
from tokens.facts import SessionFacts, TokenFacts
from tokens.states import Status
from tokens.waits.estimate import Wait

EARLY: Final = timedelta(hours=2)
"""How long before the session's start one may say that one is here: nobody says so from bed."""
LATE: Final = timedelta(hours=2)
"""How long after its end a session that nobody closed is taken to go on."""
DOTS: Final = 8
"""The longest queue that is drawn one by one."""


class State(StrEnum):
    """What the page says first."""

    LATER = "later"
    WAIT = "wait"
    HERE = "here"
    CALLED = "called"
    HELD = "held"
    SKIPPED = "skipped"
    PLACE = "place"
    INSIDE = "inside"
    AWAY = "away"
    BACK = "back"
    DONE = "done"
    SENT_ON = "sent_on"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"
    OVER = "over"


WAITING: Final = frozenset({State.WAIT, State.HERE, State.HELD, State.SKIPPED, State.BACK, State.PLACE})
"""States in which people are ahead."""


@dataclass(frozen=True, slots=True)
class Range:
    """When one is likely called, and after how many minutes: five-minute figures, so that they stand still."""

    earliest: datetime
    latest: datetime
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A visit at a moment.

    Attributes:
        ahead: how many people are; None where that says nothing.
        inside: somebody else is with the doctor.
        likely: when one is called; None where it is not known.
        delay: minutes that the doctor is late.
        paused_at: since when the doctor pauses.
        here: the patient has said so, or was seen.
        says_here: whether the patient may say so now; `says_here_from` is when that begins.
        cancels: whether the patient may give the token back.
    """

    state: State
    ahead: int | None = None
    inside: bool = False
    likely: Range | None = None
    delay: int = 0
    paused_at: datetime | None = None
    here: bool = False
    says_here: bool = False
    says_here_from: datetime | None = None
    cancels: bool = False

    @property
    def dots(self) -> range | None:
        """The people ahead, to be drawn one by one; None where they are too many or none."""
        return range(self.ahead) if self.ahead is not None and self.ahead <= DOTS else None


def standing(token: TokenFacts, session: SessionFacts, now: datetime, today: dt.date, wait: Wait | None) -> Standing:
    """The state of a visit.

    Args:
        token: as it is, whatever its status.
        session: with its slots and everybody on the way to the doctor.
        today: the facility's date.
        wait: in how many minutes half are called and nine of ten; None where nobody knows.
    """
    state = _state(token, session, now, today)
    near = session.date <= today and state not in (State.OVER, State.LATER)
    opens = session.starts_at - EARLY
    expected = state in (State.WAIT, State.PLACE, State.LATER) and token.arrived_at is None
    waiting = state in WAITING and near
    return Standing(
        state=state,
        ahead=queue_rules.people_ahead(token, session, now) if waiting else None,
        inside=waiting and queue_rules.in_room(session.tokens.values()) is not None,
        likely=_likely(now, wait) if waiting and state not in (State.HELD, State.PLACE) else None,
        delay=session.delay_minutes if waiting else 0,
        paused_at=session.paused_at if waiting else None,
        here=token.arrived_at is not None,
        says_here=expected and near and now >= opens,
        says_here_from=opens if expected and now < opens else None,
        cancels=token.status in (Status.CONFIRMED, Status.WAITLISTED) and state != State.OVER,
    )


def _state(token: TokenFacts, session: SessionFacts, now: datetime, today: dt.date) -> State:
    """The first thing that the page says."""
    ended = {Status.COMPLETED: State.DONE, Status.CANCELLED: State.CANCELLED, Status.NO_SHOW: State.NO_SHOW}
    if token.status in ended:
        return ended[Status(token.status)]
    if token.in_room:
        return State.INSIDE
    if token.status == Status.IN_PROGRESS and not token.queued:
        return State.AWAY
    if session.status != "open" or (session.date < today and now > session.ends_at + session.delay + LATE):
        return State.OVER
    if session.date > today:
        return State.LATER
    return _waiting(token, session, now)


def _waiting(token: TokenFacts, session: SessionFacts, now: datetime) -> State:
    if token.status == Status.WAITLISTED:
        return State.PLACE
    why = queue_rules.passed_over(token, session, now)
    if why == "called":
        return State.CALLED
    if why == "held":
        return State.HELD
    if why == "skipped":
        return State.SKIPPED
    if token.status == Status.IN_PROGRESS:
        return State.BACK
    return State.WAIT if why == "not_here" else State.HERE


def _likely(now: datetime, wait: Wait | None) -> Range | None:
    """The figures rounded outwards to five minutes; on the wall too, for nobody waits by the minute."""
    if wait is None:
        return None
    least, most = wait.p50, wait.p90
    earliest, latest = _down(now + timedelta(minutes=least)), _up(now + timedelta(minutes=most))
    earliest = max(earliest, now.replace(second=0, microsecond=0))  # nobody is called in the past
    return Range(earliest, latest, least // 5 * 5, max(5, -(-most // 5) * 5))


def _down(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)


def _up(at: datetime) -> datetime:
    down = _down(at)
    return down if down == at else down + timedelta(minutes=5)
