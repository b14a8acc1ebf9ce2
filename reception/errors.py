"""What the desk itself refuses; what the engine refuses is in `tokens.errors`."""

from common.errors import BadInput, DomainError, Forbidden, NotFound, Refused


class OldDay(DomainError):
    """A page that shows today was opened yesterday."""

    code = "old_day"
    status = 410
    sentence = "A new day has begun. Open the page again."


class ReasonMissing(BadInput):
    """The step needs a reason, which the history keeps."""

    code = "required"
    sentence = "Say why, in a few words."


class SlotMissing(BadInput):
    """No slot was chosen."""

    code = "required"
    sentence = "Choose a slot."


class StepUnknown(NotFound):
    """The address names no step."""

    sentence = "There is no such step."


class NotForYou(Refused):
    """A patient asks for a step that is not a patient's any more."""

    code = "not_for_you"
    sentence = "The visit has begun: ask at the desk."


class NoSuchSlip(NotFound):
    """No slip carries this key, or its day is long over: which of the two is told to nobody."""

    sentence = "This address belongs to no token."


class TargetMissing(BadInput):
    """Nobody was chosen to send the patient to."""

    code = "required"
    sentence = "Choose where the patient goes."


class TestMissing(BadInput):
    """The test was not named."""

    code = "required"
    sentence = "Say which test, such as X-ray."


class PatientMissing(BadInput):
    """The right patient was not chosen."""

    code = "required"
    sentence = "Find the right patient first."


class ChangedSince(Refused):
    """What was to be undone is no longer the last step of the token."""

    code = "changed_since"
    sentence = "{number} changed since. Its last step is undone from its own bar."


class NothingToTell(Refused):
    """The change is not the last one any more, so telling it would be wrong."""

    code = "nothing_to_tell"
    sentence = "{number} changed meanwhile, or there is nothing to tell. Read the list again."


class FormNotTrusted(Forbidden):
    """A form came without the mark that its page carries: from elsewhere, or from a browser that keeps no cookies."""

    code = "form_not_trusted"
    sentence = "Nothing was changed: this form is too old, or the browser keeps no cookies. Load the page again."
