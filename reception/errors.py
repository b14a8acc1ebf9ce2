"""What the desk itself refuses; what the engine refuses is in `tokens.errors`."""

from common.errors import BadInput, NotFound, Refused


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
