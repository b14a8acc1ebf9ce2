"""What the desk itself refuses; what the engine refuses is in `tokens.errors`."""

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, DomainError, Forbidden, NotFound, Refused


class OldDay(DomainError):
    """A page that shows today was opened yesterday."""

    code = "old_day"
    status = 410
    sentence = _("A new day has begun. Open the page again.")


class ReasonMissing(BadInput):
    """The step needs a reason, which the history keeps."""

    code = "required"
    sentence = _("Say why, in a few words.")


class SlotMissing(BadInput):
    """No slot was chosen."""

    code = "required"
    sentence = _("Choose a slot.")


class StepUnknown(NotFound):
    """The address names no step."""

    sentence = _("There is no such step.")


class NotForYou(Refused):
    """A patient asks for a step that is not a patient's any more."""

    code = "not_for_you"
    sentence = _("The visit has begun: ask at the desk.")


class AnotherDay(Refused):
    """A patient says to be here for a token that is of a later day by now."""

    code = "another_day"
    sentence = _("The token is for another day.")


class NoSuchSlip(NotFound):
    """No slip carries this key, or its day is long over: which of the two is told to nobody."""

    sentence = _("This address belongs to no token.")


class TargetMissing(BadInput):
    """Nobody was chosen to send the patient to."""

    code = "required"
    sentence = _("Choose where the patient goes.")


class TestMissing(BadInput):
    """The test was not named."""

    code = "required"
    sentence = _("Say which test, such as X-ray.")


class PatientMissing(BadInput):
    """The right patient was not chosen."""

    code = "required"
    sentence = _("Find the right patient first.")


class ChangedSince(Refused):
    """What was to be undone is no longer the last step of the token."""

    code = "changed_since"
    sentence = _("{number} changed since. Its last step is undone from its own bar.")


class NothingToTell(Refused):
    """The change is not the last one any more, so telling it would be wrong."""

    code = "nothing_to_tell"
    sentence = _("{number} changed meanwhile, or there is nothing to tell. Read the list again.")


class FormNotTrusted(Forbidden):
    """A form came without the mark that its page carries: from elsewhere, or from a browser that keeps no cookies."""

    code = "form_not_trusted"
    sentence = _("Nothing was changed: this form is too old, or the browser keeps no cookies. Load the page again.")


class NoSuchBoard(NotFound):
    """The address of a board names no facility, department or room that has one."""

    sentence = _("There is no such board.")


class NotNumbers(BadInput):
    """The address of a board names departments or rooms by something else than their numbers."""

    sentence = _("Write departments and rooms as numbers, such as rooms=3,4.")


class NeverTold(NotFound):
    """What is to be taken back was never said."""

    sentence = _("Nobody was told that.")


class PriorityInUse(Refused):
    """The token stands where it stands because of the fee."""

    code = "priority_in_use"
    sentence = _("{number} has its place in the queue by this priority fee. Cancel the token first.")


class PriorityNotSold(Refused):
    """The facility asks for no fee, so there is nothing to take."""

    code = "priority_not_sold"
    sentence = _("Priority has no price here.")


class PriorityTooCheap(Refused):
    """A bill by hand asks for less than priority costs."""

    code = "priority_price"
    sentence = _("Priority costs {fee} here.")
