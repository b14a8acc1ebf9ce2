"""The shapes of the answers, for the OpenAPI document; `answers.py` makes them."""

from typing import Any

from rest_framework import serializers

from billing.api.fields import ShownMoneyField
from billing.states import AccountKind, BillStatus, LedgerKind, Method, MovementKind, ReceiptKind

REPORTS = ["X", "Z"]
EXPECTED = "Float, cash taken and cash brought in, less cash given back and cash carried out"
BY = "Null: the clinic itself, by one of its rules."


class BillLineSerializer(serializers.Serializer[Any]):
    """A line of a bill."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    description = serializers.CharField()
    quantity = serializers.CharField(help_text="A decimal without needless zeros: 1, 2.5.")
    unit_price = ShownMoneyField()
    gross = ShownMoneyField(help_text="Quantity by unit price.")
    discount = ShownMoneyField(help_text="Its own, and its share of the bill's.")
    discount_reason = serializers.CharField()
    tax_percent = ShownMoneyField()
    tax_included = serializers.BooleanField()
    tax = ShownMoneyField()
    total = ShownMoneyField()
    item_type = serializers.CharField()
    item_id = serializers.IntegerField(allow_null=True)
    department = serializers.IntegerField(allow_null=True)
    doctor = serializers.IntegerField(allow_null=True)


class BillSerializer(serializers.Serializer[Any]):
    """A bill. The sum of its lines' totals is its total; `due` is what total less credited less paid leaves."""

    id = serializers.IntegerField()
    number = serializers.CharField(allow_null=True, help_text="Null until it is issued.")
    status = serializers.ChoiceField(BillStatus.choices)
    facility = serializers.IntegerField()
    patient = serializers.IntegerField()
    patient_name = serializers.CharField()
    patient_number = serializers.CharField()
    currency = serializers.CharField()
    gross = ShownMoneyField()
    discount = ShownMoneyField()
    tax = ShownMoneyField()
    total = ShownMoneyField()
    credited = ShownMoneyField(help_text="Taken off by credit notes.")
    paid = ShownMoneyField(help_text="Payments less refunds.")
    due = ShownMoneyField(help_text="Below zero: to be given back. 0.00 of a draft and of a void bill.")
    date = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()
    issued_at = serializers.DateTimeField(allow_null=True)
    voided_at = serializers.DateTimeField(allow_null=True)
    void_reason = serializers.CharField()
    billable_type = serializers.CharField()
    billable_id = serializers.IntegerField(allow_null=True)
    about = serializers.CharField()
    version = serializers.IntegerField(help_text="The ETag names it.")
    lines = BillLineSerializer(many=True)


class CreditedLineSerializer(serializers.Serializer[Any]):
    """What a line bears of a credit note."""

    line = serializers.IntegerField()
    amount = ShownMoneyField()
    tax = ShownMoneyField()


class CreditNoteSerializer(serializers.Serializer[Any]):
    """Something taken off an issued bill, with what is due on it now."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    bill = serializers.IntegerField()
    bill_number = serializers.CharField()
    currency = serializers.CharField()
    amount = ShownMoneyField()
    tax = ShownMoneyField(help_text="The part of the amount that is tax.")
    reason = serializers.CharField()
    date = serializers.DateField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text=BY)
    lines = CreditedLineSerializer(many=True)
    due = ShownMoneyField()


class MovedSerializer(serializers.Serializer[Any]):
    """What payments and refunds have in common."""

    id = serializers.IntegerField()
    receipt = serializers.IntegerField()
    receipt_number = serializers.CharField()
    bill = serializers.IntegerField(allow_null=True, help_text="Null: an advance.")
    method = serializers.ChoiceField(Method.choices)
    currency = serializers.CharField()
    amount = ShownMoneyField()
    reference = serializers.CharField()
    shift = serializers.IntegerField(allow_null=True)
    date = serializers.DateField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text=BY)


class PaymentSerializer(MovedSerializer):
    """Money that came in, for a bill or onto the patient's account."""

    facility = serializers.IntegerField()
    patient = serializers.IntegerField()
    bill_number = serializers.CharField(allow_null=True)
    refunded = ShownMoneyField()
    rest_of = serializers.IntegerField(allow_null=True, help_text="The payment of which it is the rest.")


class PaidSerializer(PaymentSerializer):
    """A payment just taken, with what it left. Of several at once it is the first; `payments` has them all."""

    due = ShownMoneyField(allow_null=True, help_text="What the bill asks for now; null of an advance.")
    bill_status = serializers.ChoiceField(BillStatus.choices, allow_null=True, help_text="As it is now.")
    tendered = ShownMoneyField(help_text="Cash that was handed over.")
    change = ShownMoneyField(help_text="Cash to be given back at once.")
    kept = ShownMoneyField(help_text="What stays on the patient's account.")
    payments = PaymentSerializer(many=True)


class RefundSerializer(MovedSerializer):
    """Money that went back."""

    payment = serializers.IntegerField()
    credit_note = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()


class RefundedSerializer(RefundSerializer):
    """A refund just given, with what it left."""

    refundable = ShownMoneyField(help_text="What can still be given back of the payment.")
    due = ShownMoneyField(allow_null=True, help_text="What the bill asks for now; null of an advance.")
    bill_status = serializers.ChoiceField(BillStatus.choices, allow_null=True, help_text="As it is now.")


class ReceiptSerializer(serializers.Serializer[Any]):
    """What a patient takes home: payments or refunds that were made at once."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    kind = serializers.ChoiceField(ReceiptKind.choices)
    facility = serializers.IntegerField()
    patient = serializers.IntegerField()
    bill = serializers.IntegerField(allow_null=True)
    bill_number = serializers.CharField(allow_null=True)
    shift = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    amount = ShownMoneyField(help_text="The sum of its payments, or of its refunds.")
    tendered = ShownMoneyField()
    change = ShownMoneyField()
    due_after = ShownMoneyField(help_text="What the bill asked for then.")
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text=BY)
    payments = PaymentSerializer(many=True)
    refunds = RefundSerializer(many=True)


class GivenBackSerializer(ReceiptSerializer):
    """The voucher of what was given back, with what is due on the bill now."""

    due = ShownMoneyField(allow_null=True)


class PrintedSerializer(serializers.Serializer[Any]):
    """Whether what leaves the printer is the receipt itself or a copy."""

    receipt = serializers.IntegerField()
    copy = serializers.IntegerField(help_text="0: the receipt itself; then 1, 2 ...: marked as a copy.")
    at = serializers.DateTimeField()
    by = serializers.IntegerField()


class PatientBalanceSerializer(serializers.Serializer[Any]):
    """What a patient has paid in advance."""

    patient = serializers.IntegerField()
    patient_name = serializers.CharField()
    patient_number = serializers.CharField()
    facility = serializers.IntegerField()
    currency = serializers.CharField()
    balance = ShownMoneyField()


class ShiftSerializer(serializers.Serializer[Any]):
    """A cashier at a drawer, from the float to the count."""

    id = serializers.IntegerField()
    facility = serializers.IntegerField()
    drawer = serializers.IntegerField()
    drawer_name = serializers.CharField()
    cashier = serializers.IntegerField()
    cashier_name = serializers.CharField()
    date = serializers.DateField()
    number = serializers.IntegerField(help_text="Running within the facility and date.")
    currency = serializers.CharField()
    float = ShownMoneyField()
    after = serializers.IntegerField(allow_null=True, help_text="The shift that handed its drawer over.")
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.IntegerField(allow_null=True)
    expected = ShownMoneyField(allow_null=True, help_text=f"{EXPECTED}, at the close.")
    counted = ShownMoneyField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    difference = ShownMoneyField(allow_null=True, help_text="Counted less expected.")
    reason = serializers.CharField()


class OpenShiftSerializer(ShiftSerializer):
    """A shift that is open, with what lies in its drawer."""

    expected = ShownMoneyField(help_text=f"{EXPECTED}, until now.")
    cash_in = ShownMoneyField(help_text="From the safe, or petty cash brought back.")
    cash_out = ShownMoneyField(help_text="To the safe, or petty cash paid out.")


class CashMovementSerializer(serializers.Serializer[Any]):
    """Cash that went into the drawer of a shift or out of it, though nobody paid."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    facility = serializers.IntegerField()
    shift = serializers.IntegerField()
    drawer = serializers.IntegerField()
    kind = serializers.ChoiceField(MovementKind.choices)
    currency = serializers.CharField()
    amount = ShownMoneyField()
    reason = serializers.CharField()
    date = serializers.DateField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField()


class CashMovedSerializer(CashMovementSerializer):
    """A movement just made, with what lies in the drawer now."""

    expected = ShownMoneyField(help_text=f"{EXPECTED}, until now.")


class ClosedShiftSerializer(ShiftSerializer):
    """A shift just closed."""

    handed_to = serializers.IntegerField(allow_null=True, help_text="The shift that goes on with the drawer.")


class MethodFiguresSerializer(serializers.Serializer[Any]):
    """What came and went by one way of paying in a shift."""

    method = serializers.ChoiceField(Method.choices)
    payments = serializers.IntegerField()
    taken = ShownMoneyField()
    refunds = serializers.IntegerField()
    given = ShownMoneyField()
    net = ShownMoneyField()


class MovementFiguresSerializer(serializers.Serializer[Any]):
    """What went into the drawer or out of it by one kind of movement."""

    kind = serializers.ChoiceField(MovementKind.choices)
    count = serializers.IntegerField()
    added = ShownMoneyField(help_text="To what the drawer holds: below zero where cash went out.")


class ShiftReportSerializer(ShiftSerializer):
    """The X report of an open shift, the Z report of a closed one."""

    kind = serializers.ChoiceField(REPORTS)
    expected = ShownMoneyField(help_text=f"{EXPECTED}.")
    methods = MethodFiguresSerializer(many=True, help_text="Each way that was used.")
    moved = MovementFiguresSerializer(many=True, help_text="Cash carried in and out, by kind; none of it is takings.")
    cash_in = ShownMoneyField(help_text="From the safe, or petty cash brought back.")
    cash_out = ShownMoneyField(help_text="To the safe, or petty cash paid out.")
    payments = serializers.IntegerField()
    taken = ShownMoneyField(help_text="By all ways but from the patient's account.")
    refunds = serializers.IntegerField()
    given = ShownMoneyField(help_text="By all ways but onto the patient's account.")
    net = ShownMoneyField()
    advances = ShownMoneyField(help_text="The part of what was taken that went onto patients' accounts.")
    receipts = serializers.IntegerField()
    vouchers = serializers.IntegerField()
    first_receipt = serializers.CharField()
    last_receipt = serializers.CharField()


class PriceSerializer(serializers.Serializer[Any]):
    """What something costs."""

    id = serializers.IntegerField()
    facility = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    item_type = serializers.CharField()
    item_id = serializers.IntegerField(allow_null=True)
    department = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    amount = ShownMoneyField()
    tax = serializers.CharField(help_text="Its name; empty where there is none.")
    tax_percent = ShownMoneyField()
    tax_included = serializers.BooleanField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True, help_text="The last day.")


class LedgerEntrySerializer(serializers.Serializer[Any]):
    """A line of the ledger: above zero is debit, below is credit."""

    id = serializers.IntegerField()
    transaction = serializers.IntegerField()
    kind = serializers.ChoiceField(LedgerKind.choices)
    date = serializers.DateField()
    at = serializers.DateTimeField()
    by = serializers.IntegerField(allow_null=True, help_text=BY)
    facility = serializers.IntegerField()
    account = serializers.IntegerField()
    account_code = serializers.CharField()
    account_name = serializers.CharField()
    currency = serializers.CharField()
    amount = ShownMoneyField()
    bill = serializers.IntegerField(allow_null=True, help_text="Which the transaction is about.")
    bill_number = serializers.CharField(allow_null=True)
    patient = serializers.IntegerField(allow_null=True, help_text="Whose advance it is.")
    payment = serializers.IntegerField(allow_null=True)
    refund = serializers.IntegerField(allow_null=True)
    credit_note = serializers.IntegerField(allow_null=True)
    movement = serializers.IntegerField(allow_null=True)
    shift = serializers.IntegerField(allow_null=True)


class LedgerAccountSerializer(serializers.Serializer[Any]):
    """An account of the ledger with the sum of its entries."""

    id = serializers.IntegerField()
    facility = serializers.IntegerField()
    kind = serializers.ChoiceField(AccountKind.choices)
    code = serializers.CharField()
    name = serializers.CharField()
    department = serializers.IntegerField(allow_null=True)
    drawer = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    balance = ShownMoneyField(help_text="Above zero: debit.")


class FindingSerializer(serializers.Serializer[Any]):
    """Something that does not agree."""

    facility = serializers.IntegerField()
    code = serializers.CharField()
    says = serializers.CharField(help_text="What is wrong, for people.")
    kind = serializers.CharField(help_text="What sort of row it is about.")
    id = serializers.IntegerField(allow_null=True)
    about = serializers.CharField(help_text="Its number, or the account that it concerns.")
    expected = ShownMoneyField(allow_null=True)
    found = ShownMoneyField(allow_null=True)


class FacilityProofSerializer(serializers.Serializer[Any]):
    """Whether the money of a facility agrees."""

    facility = serializers.IntegerField()
    name = serializers.CharField()
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    balanced = serializers.BooleanField()
    difference = ShownMoneyField(help_text="All amounts that do not agree, added without their signs.")
    transactions = serializers.IntegerField()
    debits = ShownMoneyField()
    credits = ShownMoneyField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How many findings by code.")


class ProofSerializer(serializers.Serializer[Any]):
    """Whether bills, payments, shifts and the ledger agree."""

    balanced = serializers.BooleanField()
    difference = ShownMoneyField(help_text="All amounts that do not agree, added without their signs.")
    currency = serializers.CharField(allow_null=True, help_text="Null where the facilities have several.")
    findings = FindingSerializer(many=True, help_text="At most 200 of each code and facility.")
    facilities = FacilityProofSerializer(many=True)
