"""Steps at the console: one address a verb, one action behind it, each done once for each press of a button."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import User
from common.errors import DomainError, Forbidden, NotFound
from consultations import actions, queries
from consultations.errors import MinutesMissing, ReasonMissing, StepUnknown, WhereMissing
from consultations.forms import StepForm
from consultations.pages.console import FETCHED, PARTS, page, sight_of, state, written
from consultations.pages.panels import panel
from consultations.sheet import Sheet
from consultations.telling import Clock, completed, delayed, refusal, sent, told, undone, was
from reception.pages.frame import done_once, person, staff
from scheduling.models import Session
from tokens import allocation, queueing, supply
from tokens.outcome import Outcome

Deed = Callable[..., Outcome]

PLAIN: dict[str, Deed] = {
    "call": queueing.call,
    "recall": queueing.recall,
    "start": queueing.start,
    "complete": queueing.complete,
    "skip": queueing.skip,
    "back": queueing.back,
}
"""Steps that need nothing but the token."""

OF_SESSION: dict[str, Deed] = {"pause": supply.pause_session, "resume": supply.resume_session}

ASKING = frozenset({"test", "send", "delay", "overbook"})
"""Steps whose form stands in the panel; refused, it stays there with what was typed."""


@staff
@require_POST
def step(request: HttpRequest, session_id: int, verb: str) -> HttpResponse:
    """Take a step in a session."""
    session = queries.opened(person(request), session_id)
    form = StepForm(request.POST)
    valid = form.is_valid()
    token_id = form.cleaned_data.get("token")
    if token_id:
        queries.token_of(session, token_id)  # 404 before anything else
    taking = Taking(session, verb, form, person(request))
    try:
        if not valid:
            raise MinutesMissing(attr=next(iter(form.errors)))
        answered = done_once(request, lambda: {"said": taking.take()})
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        return _answer(request, session, verb, error=error)
    return _answer(request, session, verb, said=answered["said"])


class Taking:
    """One step that is being taken: what runs the action and says what it did."""

    def __init__(self, session: Session, verb: str, form: StepForm, by: User) -> None:
        self.session, self.verb, self.data, self.form, self.by = session, verb, form.cleaned_data, form, by
        zone = session.facility.tz
        self.clock: Clock = lambda at: f"{timezone.localtime(at, zone):%H:%M}"

    def take(self) -> str:
        """Run the action; the caller has opened the transaction.

        Raises:
            StepUnknown, and whatever the rules refuse
        """
        special = {
            "call-next": self._call_next,
            "complete-next": self._complete_next,
            "hold": self._hold,
            "test": self._test,
            "send": self._send,
            "overbook": self._overbook,
            "delay": self._delay,
            "undo": self._undo,
        }
        if self.verb in OF_SESSION:
            return told(self.verb, OF_SESSION[self.verb](session_id=self.session.pk, by=self.by), self.clock)
        if self.verb in PLAIN:
            return told(self.verb, PLAIN[self.verb](token_id=self.token, by=self.by), self.clock)
        if self.verb not in special:
            raise StepUnknown
        return special[self.verb]()

    @property
    def token(self) -> int:
        """The token the step is about.

        Raises:
            StepUnknown: the form names none.
        """
        if not self.data.get("token"):
            raise StepUnknown
        return int(self.data["token"])

    def _call_next(self) -> str:
        outcome = actions.call_next(session_id=self.session.pk, calls=self.data["calls"], by=self.by)
        return told(self.verb, outcome, self.clock)

    def _complete_next(self) -> str:
        return completed(actions.complete_and_call_next(token_id=self.token, by=self.by), self.clock)

    def _hold(self) -> str:
        if not self.data["minutes"]:
            raise MinutesMissing(attr="minutes")
        return told("hold", queueing.hold(token_id=self.token, minutes=self.data["minutes"], by=self.by), self.clock)

    def _test(self) -> str:
        if not self.form.where:
            raise WhereMissing(number=self._number(), attr="place")
        return told("test", queueing.send_away(token_id=self.token, where=self.form.where, by=self.by), self.clock)

    def _send(self) -> str:
        if not self.data["to"]:
            raise WhereMissing(number=self._number(), attr="to")
        reason = self._reason()
        kind, _, number = self.data["to"].partition("-")
        old = self._number()
        to = {f"{kind}_id": int(number)}
        outcome = queueing.send_on(token_id=self.token, reason=reason, by=self.by, **to)  # type: ignore[arg-type]
        return sent(outcome, old, queries.place_of(outcome), self.clock)

    def _overbook(self) -> str:
        return told(
            "overbook", allocation.overbook_token(token_id=self.token, reason=self._reason(), by=self.by), self.clock
        )

    def _delay(self) -> str:
        minutes = self.data["minutes"]
        if minutes is None:
            raise MinutesMissing(attr="minutes")
        supply.delay_session(session_id=self.session.pk, minutes=minutes, by=self.by)
        return delayed(minutes)

    def _undo(self) -> str:
        seq = self.data["seq"] or 0
        actions.undo(session_id=self.session.pk, token_id=self.token, seq=seq, by=self.by)
        return undone(was(queries.step_of(self.token, seq)))

    def _reason(self) -> str:
        reason = str(self.data["reason"]).strip()
        if not reason:
            raise ReasonMissing(attr="reason")
        return reason

    def _number(self) -> str:
        return queries.token_of(self.session, self.token).number


def _answer(
    request: HttpRequest, session: Session, verb: str, *, said: str = "", error: DomainError | None = None
) -> HttpResponse:
    """Say what was done, or why it was not, beside the page as it is now."""
    words = refusal(error) if error else said
    status = error.status if error else 200
    named = "session=" in request.POST.get("next", "")
    asking = error is not None and verb in ASKING
    if not request.headers.get(FETCHED) and not asking:
        (messages.error if error else messages.success)(request, words)
        return redirect(sight_of(session, person(request), named=named).address)
    session = queries.opened(person(request), session.pk)
    sight = sight_of(session, person(request), named=named)
    shown = state(session, sight)
    shown["answer"] = (words, bool(error))
    shown["panel"] = _again(request, session, verb, shown["sheet"], sight.codes, error) if asking else None
    if not request.headers.get(FETCHED):
        shown["seat"] = queries.Seat(session, [], own=sight.own)
        return page(request, session, sight, shown, status=status)
    names = (*PARTS, "panel") if asking or not error else PARTS
    parts = "".join(written(name, session.facility, shown, request) for name in (*names, "answer"))
    return HttpResponse(parts, status=status)


def _again(
    request: HttpRequest, session: Session, verb: str, sheet: Sheet, codes: frozenset[str], error: DomainError | None
) -> dict[str, Any] | None:
    """The panel whose form was refused, with what was typed."""
    asked = {**request.POST.dict(), "do": "token" if verb == "overbook" else verb}
    return panel(asked, session, sheet, codes, error=error)
