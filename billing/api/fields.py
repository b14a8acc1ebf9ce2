"""Fields of money. What is not written as money is refused by its form, before any rule looks at it."""

import re
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from billing.rules import MOST, MOST_OF_ONE, NotMoney, Off, many

CENT: Final = Decimal("0.01")
# DecimalField also reads 1e5, 1_000 and the digits of other scripts; an amount is written in one way.
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")


class PlainDecimalField(serializers.DecimalField):
    """A decimal as digits with a point: a string, or a number of JSON."""

    def to_internal_value(self, data: Any) -> Decimal:
        """Refuse what is no such text, and what Python would read out of another type."""
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        if not _DECIMAL.fullmatch(str(data).strip()):
            self.fail("invalid")
        value: Decimal = super().to_internal_value(data)
        return value or abs(value)  # there is a zero below zero, which would be shown with its sign


class MoneyField(PlainDecimalField):
    """An amount with at most two decimals, in the facility's currency; above zero unless ``least`` says otherwise."""

    def __init__(self, *, least: Decimal = CENT, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, min_value=least, max_value=MOST, **options)


class QuantityField(PlainDecimalField):
    """How many of something: above zero, with three decimals at most; read as the cash desk's form reads it."""

    default_error_messages = {"invalid": _("Write how many as a number above zero, such as 2.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=10, decimal_places=3, min_value=Decimal("0.001"), max_value=MOST_OF_ONE, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        """A number of JSON or a text; what is wrong with another one is said by the bounds of the field."""
        try:
            return many(str(data))
        except NotMoney:
            return super().to_internal_value(data)


class ShownMoneyField(serializers.DecimalField):
    """An amount in an answer: a string with two decimals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **options)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "decimal", "pattern": r"^-?\d{0,12}(?:\.\d{0,2})?$"},
            {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 1_000_000}},
        ],
        "nullable": True,
    }
)
class CountedField(MoneyField):
    """What lies in a drawer, as an amount; notes and coins in its place are read by the body."""


class OptionalTextField(serializers.CharField):
    """A text that may be empty, left out or null: clients send null for what they do not have."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, **({"default": ""} | options))

    def run_validation(self, data: Any = empty) -> str:
        """The text, never null."""
        return super().run_validation(data) or ""


@extend_schema_field({"type": "string", "example": "10%", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})? ?%?$"})
class OffField(serializers.Field[Off, Any, str, Any]):
    """What is taken off: an amount such as 50.00, or a share such as 10%."""

    default_error_messages = {"invalid": _("Write an amount such as 50.00, or a share such as 10%.")}
    _form: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?( ?%)?")

    def to_internal_value(self, data: Any) -> Off:
        """An amount or a share."""
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        text = str(data).strip()
        if not self._form.fullmatch(text):
            self.fail("invalid")
        try:
            return Off.parse(text.replace(" ", ""))
        except NotMoney:
            self.fail("invalid")
