"""What becomes of money, in words: for who cancels, before it is done; and the reasons that bills keep."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.rules import ZERO
from billing.states import Method
from common.amounts import said
from reception.money.deciding import Becomes
from reception.money.refund_rules import Deed, Fate, Loss, Why

Ways = Sequence[tuple[str, Decimal]]
"""How much goes back by which method."""

_REASONS: Final[dict[Loss, str]] = {
    Loss.ARRIVAL: "The arrival was taken back",
    Loss.WAITS: "The token lost its place and waits",
    Loss.HOSPITAL: "The hospital gave no place",
    Loss.PERSON: "The token was cancelled or its patient did not come",
    Loss.SENT_ON: "The patient was sent on to another doctor",
    Loss.MOVED: "The token was moved to another doctor or day",
    Loss.PATIENT: "The token is another patient's",
}


def reason_of(loss: Loss, fate: Fate) -> str:
    """Why a bill is void, or a credit note written, as both keep it: a record, in one language."""
    reason = _REASONS.get(loss, "The token changed")
    return f"{reason}; late, so only a part is given back" if fate.why == Why.LATE else reason


def told(becomes: Becomes, ways: Ways) -> str:
    """What becomes of one bill, in one sentence; empty where nothing does.

    Args:
        ways: by which methods what goes back goes back.
    """
    bill, fate, currency = becomes.bill, becomes.fate, becomes.token.currency
    if fate.deed == Deed.VOID:
        if not bill.total:
            return ""
        return _("Bill %(number)s of %(total)s becomes void.") % {
            "number": bill.number,
            "total": said(bill.total, currency),
        }
    if fate.back:
        return _back(becomes, ways)
    if fate.why == Why.LATE:
        return _("Nothing is given back: %(late)s.") % {"late": late_words(becomes)}
    return ""


def _back(becomes: Becomes, ways: Ways) -> str:
    bill, fate, currency = becomes.bill, becomes.fate, becomes.token.currency
    amount = said(fate.back, currency)
    if fate.back < bill.paid:
        amount = _("%(part)s of %(paid)s") % {"part": amount, "paid": said(bill.paid, currency)}
    if len(ways) == 1:
        text = _("%(amount)s goes back %(way)s at the cash desk") % {"amount": amount, "way": way_words(ways[0][0])}
    else:
        parts = ", ".join(f"{said(part, currency)} {way_words(method)}" for method, part in ways)
        text = _("%(amount)s goes back at the cash desk") % {"amount": amount}
        text = f"{text} ({parts})" if parts else text
    return f"{text}: {late_words(becomes)}." if fate.why == Why.LATE and fate.back < bill.paid else f"{text}."


def way_words(method: str) -> str:
    """How money goes back, after "goes back"."""
    words = {
        Method.CASH: _("in cash"),
        Method.CARD: _("to the card"),
        Method.BANK: _("by bank transfer"),
        Method.UPI: _("by UPI"),
        Method.WALLET: _("to the wallet"),
        Method.ACCOUNT: _("to the patient’s account"),
    }
    return words[Method(method)]


def late_words(becomes: Becomes) -> str:
    """Why not all of it goes back."""
    hours = becomes.token.rules.refund_full_hours
    return ngettext("the slot begins in less than %(n)d hour", "the slot begins in less than %(n)d hours", hours) % {
        "n": hours
    }


def summed(all_of_them: Iterable[Becomes]) -> list[str]:
    """What becomes of many bills, in a few sentences: a plan touches many patients."""
    found = list(all_of_them)
    void = sum(each.fate.deed == Deed.VOID and each.bill.total > 0 for each in found)
    back = [each for each in found if each.fate.back > 0]
    kept = sum(each.fate.deed == Deed.KEEP and each.bill.paid > 0 and not each.fate.back for each in found)
    sentences = []
    if back:
        amount = said(sum((each.fate.back for each in back), ZERO), back[0].token.currency)
        sentences.append(
            ngettext(
                "%(amount)s of %(n)d paid bill goes back at the cash desk.",
                "%(amount)s of %(n)d paid bills goes back at the cash desk.",
                len(back),
            )
            % {"amount": amount, "n": len(back)}
        )
    if kept:
        sentences.append(
            ngettext("%(n)d paid bill stays as it is.", "%(n)d paid bills stay as they are.", kept) % {"n": kept}
        )
    if void:
        sentences.append(
            ngettext("%(n)d unpaid bill becomes void.", "%(n)d unpaid bills become void.", void) % {"n": void}
        )
    return sentences


def all_told(all_of_them: Iterable[Becomes], ways: Mapping[int, Ways]) -> list[str]:
    """What becomes of the bills of one token, a sentence each."""
    return [text for each in all_of_them if (text := told(each, ways.get(each.bill.id, ())))]
