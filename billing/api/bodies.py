"""What clients send, checked for its form alone: whether it can be done is the actions' to say."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request

from billing.api.fields import CountedField, MoneyField, OffField, OptionalTextField, PlainDecimalField, QuantityField
from billing.rules import LineIn
from billing.states import Method, MovementKind
from billing.tenders import Tender
from common.api.bodies import BodySerializer
from scheduling.api.serializers import IdField

REASON: Final = 300
MOST_LINES: Final = 200
MOST_TENDERS: Final = 10
MOST_KINDS_OF_NOTES: Final = 50
NOTHING: Final = Decimal(0)


# Bills


class LineBodySerializer(serializers.Serializer[Any]):
    """A line: what, how many, at what price, and for which object."""

    description = serializers.CharField(max_length=200)
    quantity = QuantityField(default=Decimal(1))
    unit_price = MoneyField(least=NOTHING)
    discount = OffField(required=False, allow_null=True, help_text="An amount such as 50.00, or a share such as 10%.")
    discount_reason = OptionalTextField(max_length=200)
    tax_percent = PlainDecimalField(
        max_digits=5, decimal_places=2, min_value=NOTHING, max_value=Decimal(100), default=NOTHING
    )
    tax_included = serializers.BooleanField(default=False, help_text="The price has the tax in it.")
    item_type = OptionalTextField(max_length=40)
    item_id = IdField(required=False, allow_null=True)
    department = IdField(required=False, allow_null=True, help_text="Whose revenue it is.")
    doctor = IdField(required=False, allow_null=True)


def line_in(given: dict[str, Any]) -> LineIn:
    """A line as the actions take it."""
    return LineIn(
        description=given["description"],
        unit_price=given["unit_price"],
        quantity=given["quantity"],
        off=given.get("discount"),
        discount_reason=given["discount_reason"],
        tax_percent=given["tax_percent"],
        tax_included=given["tax_included"],
        item_type=given["item_type"],
        item_id=given.get("item_id"),
        department_id=given.get("department"),
        doctor_id=given.get("doctor"),
    )


class BillContentSerializer(BodySerializer):
    """What a bill is about; `discount` is shared out over its lines."""

    lines = LineBodySerializer(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]  # it is the list's
    discount = OffField(required=False, allow_null=True, help_text="Off the whole bill: 50.00, or 10%.")
    discount_reason = OptionalTextField(max_length=200)


class NewBillSerializer(BillContentSerializer):
    """A bill, issued at once unless it is a draft."""

    patient = IdField()
    billable_type = OptionalTextField(max_length=40)
    billable_id = IdField(required=False, allow_null=True)
    about = OptionalTextField(max_length=120, help_text="What people call it by, such as A-014, Dr Rao.")
    draft = serializers.BooleanField(default=False, help_text="It has no number, and can still be changed.")


class ChangeBillSerializer(BillContentSerializer):
    """All lines that a draft is to have."""


class WhySerializer(BodySerializer):
    """Why, in the person's own words."""

    reason = serializers.CharField(max_length=REASON)


class NewCreditSerializer(WhySerializer):
    """What is taken off, tax included; off these lines alone where some are named."""

    amount = MoneyField()
    lines = serializers.ListField(
        child=IdField(), allow_empty=False, max_length=MOST_LINES, required=False, allow_null=True
    )


class GiveBackSerializer(WhySerializer):
    """Why, and whether it goes onto the patient's account."""

    to_account = serializers.BooleanField(default=False)


# Payments


class TenderSerializer(serializers.Serializer[Any]):
    """One way to pay, with how much."""

    method = serializers.ChoiceField(Method.choices)
    amount = MoneyField()
    reference = OptionalTextField(max_length=100, help_text="Of the terminal, the bank or the wallet; used once.")
    tendered = MoneyField(required=False, allow_null=True, help_text="Cash that is handed over; the change is told.")


TENDER: Final = ("method", "amount", "reference", "tendered")


class TendersSerializer(BodySerializer):
    """One way to pay, or several at once in `tenders`."""

    method = serializers.ChoiceField(Method.choices, required=False)
    amount = MoneyField(required=False)
    reference = serializers.CharField(
        max_length=100,
        allow_blank=True,
        allow_null=True,
        required=False,
        help_text="Of the terminal, the bank or the wallet; used once.",
    )
    tendered = MoneyField(required=False, allow_null=True, help_text="Cash that is handed over; the change is told.")
    tenders = TenderSerializer(many=True, required=False, allow_empty=False, max_length=MOST_TENDERS)  # type: ignore[call-arg]  # it is the list's

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either one way or a list of them; `tenders` has what was said."""
        said = {name: attrs.pop(name) for name in TENDER if name in attrs}
        alone = {name: value for name, value in said.items() if value is not None}
        if "tenders" in attrs:
            if alone:
                raise serializers.ValidationError({"tenders": "Say it here, or beside it: not both."}, code="invalid")
        else:
            for name in ("method", "amount"):
                if name not in alone:
                    raise serializers.ValidationError({name: self.fields[name].error_messages["required"]}, "required")
            attrs["tenders"] = [alone]
        attrs["tenders"] = [tender(given) for given in attrs["tenders"]]
        return attrs


def tender(given: dict[str, Any]) -> Tender:
    """A way to pay as the actions take it."""
    return Tender(
        method=given["method"],
        amount=given["amount"],
        reference=given.get("reference", "").strip(),
        tendered=given.get("tendered"),
    )


class PaySerializer(TendersSerializer):
    """What is paid on a bill."""

    keep_rest = serializers.BooleanField(default=False, help_text="What is paid too much stays on the account.")


class NewAdvanceSerializer(TendersSerializer):
    """What is paid onto a patient's account."""

    patient = IdField()


class NewRefundSerializer(WhySerializer):
    """How much of a payment is given back, by the way it came."""

    amount = MoneyField()
    credit = serializers.BooleanField(
        default=False, help_text="What it paid for was not given: the bill asks for that much less."
    )
    to_account = serializers.BooleanField(default=False, help_text="Onto the patient's account instead.")
    reference = OptionalTextField(max_length=100)


class RefundAdvanceSerializer(WhySerializer):
    """How much of the account is given back, by the ways it came."""

    patient = IdField()
    amount = MoneyField()


# Shifts


class NewShiftSerializer(BodySerializer):
    """What lies in the drawer."""

    float = MoneyField(least=NOTHING)
    drawer = IdField(required=False, allow_null=True, help_text="The first free one where none is named.")
    facility = IdField(required=False, allow_null=True, help_text="Needed by who takes money in several.")


class CloseShiftSerializer(BodySerializer):
    """What was counted, in all or by note and coin, and why it is not what was expected."""

    counted = CountedField(
        least=NOTHING, required=False, allow_null=True, help_text="An amount, or notes and coins as in `counts`."
    )
    counts = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=1_000_000),
        required=False,
        allow_null=True,
        help_text='How many of each note and coin: {"500": 3, "100": 12}.',
    )
    reason = OptionalTextField(max_length=REASON)
    hand_to = IdField(required=False, allow_null=True, help_text="The cashier who goes on with this drawer.")
    hand_float = MoneyField(least=NOTHING, required=False, allow_null=True, help_text="With how much; all if left out.")

    def to_internal_value(self, data: Any) -> Any:
        """Notes and coins may be said as what was counted, too."""
        if isinstance(data, Mapping) and isinstance(data.get("counted"), Mapping) and not data.get("counts"):
            data = {**data, "counted": None, "counts": data["counted"]}
        return super().to_internal_value(data)

    def validate_counts(self, counts: dict[str, int] | None) -> dict[str, int] | None:
        """Few enough to be notes and coins, each named as money."""
        if counts is None:
            return None
        if len(counts) > MOST_KINDS_OF_NOTES:
            raise serializers.ValidationError("There are not so many kinds of notes and coins.")
        for name in counts:
            MoneyField().run_validation(name)
        return counts

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It was counted in one way at least."""
        if attrs.get("counted") is None and not attrs.get("counts"):
            raise serializers.ValidationError(
                {"counted": self.fields["counted"].error_messages["required"]}, "required"
            )
        return attrs


class NewMovementSerializer(BodySerializer):
    """Cash that goes into the drawer or out of it, though nobody pays."""

    kind = serializers.ChoiceField(MovementKind.choices)
    amount = MoneyField()
    reason = OptionalTextField(max_length=REASON, help_text="What petty cash is for, needed there; else a note.")


# What is asked for in an address


class AskedSerializer(serializers.Serializer[Any]):
    """The query of a GET."""

    @classmethod
    def asked(cls, request: Request) -> dict[str, Any]:
        """What the address says.

        Raises:
            ValidationError: 400, with the parameters to blame.
        """
        given = cls(data=request.query_params)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values


class FacilitySerializer(AskedSerializer):
    """Where."""

    facility = IdField(required=False, help_text="Needed by who sees several.")


class ProofAskedSerializer(FacilitySerializer):
    """Where, and whether it is proved anew."""

    now = serializers.BooleanField(default=False, help_text="Also where a large ledger takes long.")


class WhoseSerializer(AskedSerializer):
    """Whose account; those of all patients who have one where nobody is named."""

    patient = IdField(required=False)


class PricesSerializer(FacilitySerializer):
    """On which day, and what."""

    on = serializers.DateField(required=False, help_text="The facility's date; today where none is given.")
    item_type = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)
    search = serializers.CharField(
        max_length=200, required=False, default="", allow_blank=True, help_text="A part of the name or the code."
    )


class UntilSerializer(AskedSerializer):
    """Up to which day."""

    until = serializers.DateField(required=False, help_text="The last day that counts.")
