"""Phone numbers as people write them, and as they are kept: E.164."""

from phonenumber_field.phonenumber import PhoneNumber
from phonenumbers import NumberParseException

from patients.errors import PhoneNotValid


def normalise(text: str, *, region: str) -> str:
    """``098765-43210`` in ``IN`` as ``+919876543210``; nothing stays nothing.

    Args:
        region: whose numbers are written without a country code.

    Raises:
        PhoneNotValid: 400; what cannot be dialled is refused, for a reminder sent there would be lost in silence.
    """
    if not text.strip():
        return ""
    try:
        number = PhoneNumber.from_string(text, region=region)
    except NumberParseException as error:
        raise PhoneNotValid(phone=text, attr="phone") from error
    if not number.is_valid():
        raise PhoneNotValid(phone=text, attr="phone")
    return str(number.as_e164)
