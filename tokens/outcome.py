"""What an action decided: the token it was about, and everybody it touched."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from tokens.facts import SessionFacts, TokenFacts
from tokens.rules import position
from tokens.states import Status
from tokens.storage import Work


@dataclass(frozen=True, slots=True)
class Touched:
    """A token before (only the values that changed; None where it is new) and after, and what happened to it last."""

    before: dict[str, Any] | None
    after: TokenFacts
    kind: str
    reason: str = ""

    def was(self, name: str) -> Any:
        """A value before; of a new token the value after."""
        return (self.before or {}).get(name, getattr(self.after, name))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of an action of the engine.

    Attributes:
        token: the token the action was about, as it is now; None where it was about a session.
        session: its session, as it is now.
        position: where the token stands in its slot; None where it stands in no order, or where that was not read.
        touched: every token that changed, in the order of their last events.
        displaced: ids of the tokens that lost their place.
        promoted: ids of the tokens that were waiting and got a place.
        alerts: ids of emergencies that wait, which desk and console must see.
        session_ids: sessions that changed.
        at: the moment of the decision, which its events carry.
        actor_id: who acted; None where it was the clinic itself.
    """

    token: TokenFacts | None
    session: SessionFacts
    position: int | None
    touched: tuple[Touched, ...]
    displaced: tuple[int, ...]
    promoted: tuple[int, ...]
    alerts: tuple[int, ...]
    session_ids: tuple[int, ...]
    at: datetime
    actor_id: int | None = None


def outcome_of(
    work: Work, token: TokenFacts | None, counted: int | None = None, *, actor_id: int | None = None
) -> Outcome:
    """Sum up what a draft did; `counted` is the token's position where the database had to count it."""
    draft = work.draft
    ids = list(dict.fromkeys(event.token_id for event in draft.events))
    last = {event.token_id: event for event in draft.events}
    own = token.id if token else None
    return Outcome(
        token=token,
        session=draft.session_of(token) if token else work.session,
        position=counted or (position(draft, token) if token else None),
        touched=tuple(
            Touched(None if i in draft.new else draft.before.get(i, {}), draft.token(i), last[i].kind, last[i].reason)
            for i in ids
        ),
        displaced=tuple(e.token_id for e in draft.events if e.kind == "displaced" and e.token_id != own),
        promoted=tuple(e.token_id for e in draft.events if e.kind == "promoted" and e.token_id != own),
        alerts=tuple(i for i in ids if draft.token(i).emergency and draft.token(i).status == Status.WAITLISTED),
        session_ids=tuple(draft.sessions),
        at=draft.now,
        actor_id=actor_id,
    )


def consequences() -> tuple[Callable[[Outcome], None], ...]:
    """What a decision means in other apps: the functions named in OPD_CONSEQUENCES, in order."""
    return _named(tuple(settings.OPD_CONSEQUENCES))


@cache
def _named(paths: tuple[str, ...]) -> tuple[Callable[[Outcome], None], ...]:
    return tuple(import_string(path) for path in paths)
