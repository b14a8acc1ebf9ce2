"""What the registry refuses."""

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, Refused


class PhoneNotValid(BadInput):
    """The text cannot be dialled as a phone number of its country."""

    code = "invalid_phone"
    sentence = _("{phone} is not a phone number. Write it with its country code, such as +91 98765 43210.")


class BirthNotValid(BadInput):
    """Date, year and age contradict each other, or lie in the future or too far back."""

    code = "invalid_birth"


class NameMissing(BadInput):
    """A patient without a name."""

    code = "required"
    sentence = _("A patient needs a name.")


class PatientMerged(Refused):
    """The record was merged into another, which alone goes on."""

    code = "patient_merged"
    sentence = _("{number} was merged into another record, which is the one to use.")


class CannotMerge(Refused):
    """These two records cannot be one patient."""

    code = "cannot_merge"
