"""What a plan does with the bills of many patients, in words for who makes it."""

from collections.abc import Iterable

from django.utils.translation import ngettext

from billing.rules import ZERO
from common.amounts import said
from reception.money.deciding import Becomes
from reception.money.refund_rules import Deed


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
