"""Domain errors: what a rule says when it refuses, before anybody has thought of HTTP.

Each app names its own refusals in its ``errors.py``::

    class SlotClosed(Refused):
        code = "slot_closed"
        sentence = "The slot {slot} is closed."

    raise SlotClosed(slot=slot.id)

``common.api.exceptions`` turns them into answers for clients, ``common.pages`` into answers for people.
"""

from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


class DomainError(Exception):
    """A refusal with a stable code, a sentence for people and the facts behind it.

    Args:
        sentence: replaces the class's own sentence; a format string over ``data``. Both are marked for translation
            (`gettext_noop`) and read in the language of whoever is told.
        attr: the field of the request that is to blame, where one is.
        headers: HTTP headers for the answer, such as ``Retry-After``.
        **data: facts, which fill the sentence and go into the answer beside the code.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    sentence: str = _("This cannot be done.")

    def __init__(
        self,
        sentence: str | None = None,
        *,
        attr: str | None = None,
        headers: dict[str, str] | None = None,
        **data: Any,
    ) -> None:
        super().__init__()
        self.sentence = sentence or self.sentence
        self.attr = attr
        self.headers = headers or {}
        self.data = data

    def __str__(self) -> str:
        sentence = gettext(self.sentence) if self.sentence else ""
        return sentence.format(**self.data) if self.data else sentence

    def aftermath(self, *, address: str | None, method: str, path: str) -> None:
        """Record the refusal, where it must leave a trace.

        The translators call this once the refused transaction has been rolled back, so what is written here stays.
        """


class Refused(DomainError):
    """A rule refuses: the request was understood, and the state of things forbids it."""


class BadInput(DomainError):
    """The request itself is wrong, whatever the state of things."""

    code = "invalid"
    status = 400
    sentence = _("The request is not valid.")


class Forbidden(DomainError):
    """The caller is known and lacks the permission."""

    code = "permission_denied"
    status = 403
    sentence = _("You do not have permission to do this.")


class NotFound(DomainError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"
    status = 404
    sentence = _("There is no such thing here.")


class PreconditionFailed(DomainError):
    """What the caller read has changed since: saving now would overwrite somebody's work."""

    code = "precondition_failed"
    status = 412
    sentence = _("Somebody has changed this since you read it. Read it again, then save.")


class PreconditionRequired(DomainError):
    """The caller did not say which version it read."""

    code = "precondition_required"
    status = 428
    sentence = _("Send If-Match with the ETag that you read, so that nobody's change is overwritten.")


class TooManyRequests(DomainError):
    """The caller knocks too often.

    Args:
        wait: seconds after which to try again.
    """

    code = "throttled"
    status = 429
    sentence = _("Too many attempts. Try again in {wait} seconds.")

    def __init__(self, sentence: str | None = None, *, wait: int, **data: Any) -> None:
        super().__init__(sentence, headers={"Retry-After": str(wait)}, wait=wait, **data)


class Busy(DomainError):
    """The database could not take the request now; the same request may succeed in a moment."""

    code = "busy"
    status = 503
    sentence = _("Many people are doing this right now. Try again in a moment.")

    def __init__(self, sentence: str | None = None, **data: Any) -> None:
        super().__init__(sentence, headers={"Retry-After": "1"}, **data)
