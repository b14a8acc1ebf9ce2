"""What scheduling refuses, and how it says so."""

from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, Busy, Refused
from scheduling.rules import Window, wall


class Overlap(Refused):
    """The doctor or the room would be in two places at once."""

    code = "overlap"
    sentence = _("{who} is already taken from {starts} to {ends}.")

    @classmethod
    def at(cls, who: object, window: Window, zone: ZoneInfo, **data: Any) -> Self:
        """Name who is taken and when, on the facility's wall clock."""
        return cls(who=str(who), starts=wall(window.starts_at, zone), ends=wall(window.ends_at, zone), **data)


class HasTokens(Refused):
    """Somebody still holds a token ahead: a plan for these patients comes first."""

    code = "has_tokens"
    sentence = _("{name} still has {count} tokens ahead. Move or cancel them first.")


class InUse(Refused):
    """What is to be switched off still serves something else."""

    code = "in_use"
    sentence = _("{name} is still in use: {why}.")


class NotValid(BadInput):
    """A value that no row may have; `attr` names the field."""


class NonexistentTime(BadInput):
    """The clocks of the facility jump over this time."""

    code = "nonexistent_time"


class InThePast(BadInput):
    """A slot is made by hand for a time that is over."""

    code = "in_the_past"
    sentence = _("This time is over: {ends} has passed.")

    @classmethod
    def at(cls, ends_at: datetime, zone: ZoneInfo) -> Self:
        """Name the end that has passed, on the facility's wall clock."""
        return cls(ends=wall(ends_at, zone), attr="ends_at")


class LockTimeout(Busy):
    """The lock of a session was not free within the time a request may wait."""

    code = "busy"
    sentence = _("Many people want this session at the same moment. Nothing was changed; try again.")
