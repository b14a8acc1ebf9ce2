"""What billing refuses."""

from django.utils.translation import gettext_noop as _

from common.errors import BadInput, Forbidden, NotFound, Refused


class UnknownBill(NotFound):
    """There is no such bill, or not for the caller."""

    sentence = _("There is no such bill here.")


class UnknownLine(NotFound):
    """There is no such line on the bill."""

    sentence = _("There is no such line on this bill.")


class UnknownPayment(NotFound):
    """There is no such payment, or not for the caller."""

    sentence = _("There is no such payment here.")


class UnknownShift(NotFound):
    """There is no such shift, or not for the caller."""

    sentence = _("There is no such shift here.")


class NoLines(BadInput):
    """A bill of nothing."""

    code = "no_lines"
    sentence = _("A bill needs at least one line.")


class BadAmount(BadInput):
    """No amount, or one that money does not have."""

    code = "bad_amount"
    sentence = _("Write an amount above zero with two decimals, such as 650.00.")


class ReasonNeeded(BadInput):
    """The history keeps why."""

    code = "required"
    sentence = _("Say why, in a few words.")


class ReasonTooLong(BadInput):
    """The history has room for a few sentences."""

    code = "max_length"
    sentence = _("Say why in at most {longest} characters.")


class ReferenceNeeded(BadInput):
    """A card, bank, UPI or wallet payment is found again by its reference."""

    code = "reference_required"
    sentence = _("Write the reference that the terminal or the bank shows.")


class DiscountTooLarge(BadInput):
    """More than what it is taken from."""

    code = "discount_too_large"
    sentence = _("A discount cannot be more than the amount it is taken from.")


class LimitPassed(Forbidden):
    """The person may do this, and not so much of it."""


class DiscountLimitPassed(LimitPassed):
    """The role gives away less."""

    code = "discount_limit"
    sentence = _("You may give away up to {limit} % of a bill; this is {percent} %.")


class CreditLimitPassed(LimitPassed):
    """The role takes less off a bill by credit notes."""

    code = "credit_limit"
    sentence = _("You may take up to {limit} % off a bill by credit notes; this makes {percent} % of {number}.")


class NotInPriceList(Forbidden):
    """Who may not choose prices bills what has one."""

    code = "not_in_price_list"
    sentence = _("{description} is not in the price list, and you bill at its prices only.")


class NotTheListPrice(Forbidden):
    """Who may not choose prices bills at that of the list, with its tax."""

    code = "not_the_list_price"
    sentence = _("{description} costs {price} in the price list, with {percent} % tax. You bill at its prices only.")


class PartOfAPiece(NotTheListPrice):
    """A thousandth of something at the price of the list is a price of one's own."""

    sentence = _("{description} is billed in whole numbers: a part of it has no price in the list.")


class NotADraft(Refused):
    """The bill is issued: it is voided or credited, never edited."""

    code = "bill_issued"
    sentence = _("{number} is issued. Void it or write a credit note.")


class NotIssued(Refused):
    """Nobody owes a draft: it is changed or laid aside."""

    code = "bill_draft"
    sentence = _("This bill is a draft. Issue it first.")


class BillNotOpen(Refused):
    """Nothing can be paid on it."""

    code = "bill_not_open"
    sentence = _("{number} is {status}: there is nothing to pay.")


class BillIsPaid(Refused):
    """Money was taken for it."""

    code = "bill_has_payments"
    sentence = _("{paid} were paid on {number}. Give them back first, or write a credit note.")


class BillIsVoid(Refused):
    """It was void before."""

    code = "bill_void"
    sentence = _("{number} is void.")


class Overpayment(Refused):
    """More than is due; the cashier may keep the rest on the patient's account."""

    code = "overpayment"
    sentence = _("{due} are due on {number}, and {amount} would be paid. Take less, or keep the rest on the account.")


class AdvanceTooSmall(Refused):
    """The account has less."""

    code = "advance_too_small"
    sentence = _("The account of the patient holds {balance}.")


class ReferenceUsed(Refused):
    """Another payment carries it."""

    code = "reference_used"
    sentence = _("{reference} was used for another payment already.")


class ReferenceGivenBack(ReferenceUsed):
    """The payment that carries it was given back, at least in part: it is no payment to be told again."""

    sentence = _("{reference} was used for a payment of which money was given back. Take it with another reference.")


class RefundTooLarge(Refused):
    """More than what is left of the payment."""

    code = "refund_too_large"
    sentence = _("{refundable} of this payment can be given back, not {amount}.")


class NothingToGiveBack(Refused):
    """The bill has what it is owed, and no more."""

    code = "nothing_to_give_back"
    sentence = _("Nothing is to be given back on {number}.")


class CreditTooLarge(Refused):
    """More than what the bill still asks for in all."""

    code = "credit_too_large"
    sentence = _("{left} are left of {number}; {amount} cannot be taken off.")


class ShiftClosed(Refused):
    """Cash moves in an open shift only."""

    code = "shift_closed"
    sentence = _("Open a shift first: cash goes through a drawer.")


class RefundNeedsShift(ShiftClosed):
    """Whatever goes back goes out of the open shift of whoever pays it, by every way."""

    sentence = _("Open a shift first: what is given back belongs to the shift of whoever gives it.")


class ShiftIsClosed(Refused):
    """A shift is closed once, for ever."""

    code = "shift_closed"
    sentence = _("This shift is closed, and never changes again.")


class ShiftOpen(Refused):
    """A cashier has one open shift."""

    code = "shift_open"
    sentence = _("{cashier} has an open shift at {drawer} already. Close it first.")


class DrawerTaken(Refused):
    """A drawer belongs to one shift at a time."""

    code = "drawer_taken"
    sentence = _("{drawer} is in use by {cashier}.")


class NoDrawer(Refused):
    """The facility has none that is free."""

    code = "no_drawer"
    sentence = _("No drawer is free. An administrator adds one.")


class DifferenceUnexplained(BadInput):
    """What was counted is not what was expected."""

    code = "difference_unexplained"
    sentence = _("{counted} were counted and {expected} expected. Say why.")


class PettyTooLarge(Refused):
    """What was never spent does not come back."""

    code = "petty_too_large"
    sentence = _("{left} of petty cash were spent and not brought back; {amount} cannot be brought back.")


class NotInDrawer(Refused):
    """A drawer cannot give what it does not hold."""

    code = "not_in_drawer"
    sentence = _("The drawer holds {expected}.")
