"""What becomes of money, in words: for who cancels, before it is done; and the reasons that bills keep."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
    part = fate.back < bill.paid
    names = {
        "amount": said(fate.back, currency),
        "paid": said(bill.paid, currency),
        "way": ways_words(ways, currency),
        "late": late_words(becomes),
    }
    if part and fate.why == Why.LATE:
        return _("%(amount)s of %(paid)s goes back %(way)s at the cash desk: %(late)s.") % names
    if part:
        return _("%(amount)s of %(paid)s goes back %(way)s at the cash desk.") % names
    return _("%(amount)s goes back %(way)s at the cash desk.") % names


def ways_words(ways: Ways, currency: str) -> str:
    """How money goes back; with the amounts where it goes by several ways."""
    if len(ways) == 1:
        return way_words(ways[0][0])
    return ", ".join(f"{way_words(method)} ({said(part, currency)})" for method, part in ways)


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


def all_told(all_of_them: Iterable[Becomes], ways: Mapping[int, Ways]) -> list[str]:
    """What becomes of the bills of one token, a sentence each."""
    return [text for each in all_of_them if (text := told(each, ways.get(each.bill.id, ())))]
