"""The selected token: what stands in the bar under the columns."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from common.amounts import brief
from common.errors import NotFound
from reception import queries
from reception.changes import Link, links
from reception.hall import row
from reception.money.queries import SEE, TAKE, due_of
from reception.pages.frame import Place, may, person
from reception.steps import steps
from tokens.facts import SessionFacts, TokenFacts
from tokens.models import Token
from tokens.queries import session_facts
from tokens.reading import TOKEN_COLUMNS


def selection(request: HttpRequest, where: Place) -> dict[str, Any]:
    """What the bar needs about the token named in the address; nothing where none is. Two queries.

    Raises:
        NotFound: there is no such token, or none that the person may see.
    """
    text = request.GET.get("token") or request.GET.get("given") or ""
    if not text:
        return {"token": None}
    if not text.isdecimal() or len(text) > 18:
        raise NotFound(_("There is no such token."))
    return selected(request, where, queries.get_token(token_id=int(text), by=person(request)))


def selected(request: HttpRequest, where: Place, token: Token) -> dict[str, Any]:
    """The same for a token that has been read. One query."""
    facts, session = facts_of(token)
    allowed = may(request, token.session.facility)
    undoable = queries.undoable(queries.last_event(token.pk))
    offered = list(steps(facts, session, may=allowed, undoable=undoable))
    return {
        "token": token,
        "line": row(facts, session, token.patient.name, timezone.now()),
        "often": [step for step in offered if step.often],
        "rare": [step for step in offered if not step.often],
        "changes": _changes(session, token, allowed),
        "due": brief(due_of(token), token.session.facility.currency) if allowed(SEE) and due_of(token) else "",
        "takes": allowed(TAKE),
        "key": uuid4(),
        "where": where,
    }


def _changes(session: SessionFacts, token: Token, allowed: Callable[[str], bool]) -> list[Link]:
    if session.status != "open":
        return []
    return links(slot_id=token.slot_id, paused=session.paused_at is not None, may=allowed)


def facts_of(token: Token) -> tuple[TokenFacts, SessionFacts]:
    """A token and its session's row as the rules see them."""
    return TokenFacts(*(getattr(token, name) for name in TOKEN_COLUMNS)), session_facts(token.session)
