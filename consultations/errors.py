"""What the console itself refuses; what the engine refuses is in `tokens.errors`."""

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, Forbidden, NotFound, Refused


class NoConsole(Forbidden):
    """The person is no doctor and may not open another's console."""

    sentence = _("The console belongs to a doctor, and your account is linked to none.")


class NotYours(NotFound):
    """The session belongs to somebody else, or there is none."""

    sentence = _("There is no such session of yours.")


class NobodyToCall(Refused):
    """Nobody who is here waits for a call."""

    code = "nobody_to_call"
    sentence = _("Nobody can be called: nobody who is here waits for a call.")


class Overtaken(Refused):
    """Somebody else did something since the page was read."""

    code = "overtaken"
    sentence = _("Nothing was changed: {what}")


class StepUnknown(NotFound):
    """The address names no step."""

    sentence = _("There is no such step.")


class WhereMissing(BadInput):
    """The patient is sent somewhere, and nobody said where."""

    code = "required"
    sentence = _("Say where {number} goes.")


class ReasonMissing(BadInput):
    """The next doctor wants to know why."""

    code = "required"
    sentence = _("Say why, in a few words: the next doctor reads it.")


class MinutesMissing(BadInput):
    """No number of minutes."""

    code = "invalid"
    sentence = _("Choose the minutes.")
