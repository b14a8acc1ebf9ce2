"""What the desk itself refuses; what the engine refuses is in `tokens.errors`."""

from common.errors import BadInput


class ReasonMissing(BadInput):
    """The step needs a reason, which the history keeps."""

    code = "required"
    sentence = "Say why, in a few words."


class SlotMissing(BadInput):
    """No slot was chosen."""

    code = "required"
    sentence = "Choose a slot."


class StepUnknown(BadInput):
    """The address names no step."""

    code = "not_found"
    status = 404
    sentence = "There is no such step."
