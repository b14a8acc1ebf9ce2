"""What the engine refuses, with a code for machines and a sentence for people."""

from common.errors import BadInput, NotFound, Refused


class DuplicateToken(Refused):
    """The patient already holds an active token in the session; `token` is its id."""

    code = "duplicate_token"
    sentence = "This patient already holds {number} in this session."


class SlotClosed(Refused):
    code = "slot_closed"
    sentence = "This slot is {status}: no place in it can be given."


class SlotOver(Refused):
    code = "slot_over"
    sentence = "This slot is over."


class SlotFull(Refused):
    code = "slot_full"
    sentence = "No place is free there for this patient. Nothing was changed."


class NoOpenSlot(Refused):
    code = "slot_closed"
    sentence = "No slot is open there on that date."


class InvalidTransition(Refused):
    code = "invalid_transition"
    sentence = "{number} is {status}: that cannot be done now."


class PlaceTaken(Refused):
    code = "place_taken"
    sentence = "The place of {number} has been taken. Nothing was changed."


class DoctorBusy(Refused):
    code = "doctor_busy"
    sentence = "{number} is still with the doctor."


class SessionOver(Refused):
    code = "session_over"
    sentence = "This session is over."


class TooEarly(Refused):
    code = "too_early"
    sentence = "The slot of {number} has not begun: nobody is a no-show before it has."


class NotCalled(Refused):
    code = "not_called"
    sentence = "{number} has not been called."


class NotArrived(Refused):
    code = "not_arrived"
    sentence = "{number} has not arrived."


class CapacityTooLow(Refused):
    """A cut below those who cannot lose their place; `lowest` is the lowest possible value."""

    code = "capacity_too_low"
    sentence = "{lowest} is the lowest possible: that many were called, are with the doctor or have been seen."


class PlanStale(Refused):
    """The session moved since the preview; `plan` is the new one."""

    code = "plan_stale"
    sentence = "Nothing was changed: the session moved while you read. This is the new preview."


class CannotUndo(Refused):
    code = "invalid_transition"
    sentence = "{what} cannot be undone."


class UnknownPatient(NotFound):
    code = "not_found"
    sentence = "No such patient here."


class UnknownSlot(NotFound):
    code = "not_found"
    sentence = "No such slot here."


class UnknownToken(NotFound):
    code = "not_found"
    sentence = "No such token here."


class UnknownSession(NotFound):
    code = "not_found"
    sentence = "No such session here."


class ReservedReason(BadInput):
    code = "reserved_reason"
    sentence = "That word is the engine's own. Say why in your own words."


class UnknownPlan(NotFound):
    code = "not_found"
    sentence = "No such plan here."
