"""What the engine refuses, with a code for machines and a sentence for people."""

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, NotFound, Refused


class DuplicateToken(Refused):
    """The patient already holds an active token in the session; `token` is its id."""

    code = "duplicate_token"
    sentence = _("This patient already holds {number} in this session.")


class SlotClosed(Refused):
    """The slot is blocked or cancelled."""

    code = "slot_closed"
    sentence = _("This slot is {status}: no place in it can be given.")


class SlotOver(Refused):
    """The slot has ended, or its session is no longer open."""

    code = "slot_over"
    sentence = _("This slot is over.")


class SlotFull(Refused):
    """A move or a sending on finds no free place; nobody is displaced for it."""

    code = "slot_full"
    sentence = _("No place is free there for this patient. Nothing was changed.")


class NoOpenSlot(Refused):
    """A request without a slot finds none open."""

    code = "slot_closed"
    sentence = _("No slot is open there on that date.")


class InvalidTransition(Refused):
    """The action does not fit the state that the token is in."""

    code = "invalid_transition"
    sentence = _("{number} is {status}: that cannot be done now.")


class PlaceTaken(Refused):
    """What would be restored held a place, and finds none."""

    code = "place_taken"
    sentence = _("The place of {number} has been taken. Nothing was changed.")


class DoctorBusy(Refused):
    """Somebody is in progress; `token` is whose."""

    code = "doctor_busy"
    sentence = _("{number} is still with the doctor.")


class SessionOver(Refused):
    """The session is closed or cancelled, or no slot of it is left."""

    code = "session_over"
    sentence = _("This session is over.")


class TooEarly(Refused):
    """The policy lets nobody be a no-show before the slot has begun."""

    code = "too_early"
    sentence = _("The slot of {number} has not begun: nobody is a no-show before it has.")


class NotCalled(Refused):
    """The action wants a call before it."""

    code = "not_called"
    sentence = _("{number} has not been called.")


class NotArrived(Refused):
    """The action wants the patient to be here."""

    code = "not_arrived"
    sentence = _("{number} has not arrived.")


class CapacityTooLow(Refused):
    """A cut below those who cannot lose their place; `lowest` is the lowest possible value."""

    code = "capacity_too_low"
    sentence = _("{lowest} is the lowest possible: that many were called, are with the doctor or have been seen.")


class PlanStale(Refused):
    """The session moved since the preview; `plan` is the new one."""

    code = "plan_stale"
    sentence = _("Nothing was changed: the session moved while you read. This is the new preview.")


class CannotUndo(Refused):
    """The last step is of no kind that can be taken back."""

    code = "invalid_transition"
    sentence = _("{what} cannot be undone.")


class UnknownPatient(NotFound):
    """No active patient of the facility has this id."""

    code = "not_found"
    sentence = _("No such patient here.")


class UnknownSlot(NotFound):
    """No slot has this id."""

    code = "not_found"
    sentence = _("No such slot here.")


class UnknownToken(NotFound):
    """No token has this id."""

    code = "not_found"
    sentence = _("No such token here.")


class UnknownSession(NotFound):
    """No session has this id."""

    code = "not_found"
    sentence = _("No such session here.")


class ReservedReason(BadInput):
    """Undo tells by these words that the engine itself cancelled."""

    code = "reserved_reason"
    sentence = _("That word is the engine's own. Say why in your own words.")


class UnknownPlan(NotFound):
    """No plan has this id."""

    code = "not_found"
    sentence = _("No such plan here.")
