"""What a plan does with the bills of many patients, in words for who makes it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.utils.translation import ngettext

from billing.rules import ZERO
from common.amounts import said
from reception.money.deciding import Becomes
from reception.money.refund_rules import Deed
from reception.money.words import Ways, ways_words


def summed(all_of_them: Iterable[Becomes], ways: Mapping[int, Ways]) -> list[str]:
    """What becomes of many bills, in a few sentences: a plan touches many patients.

    Args:
        ways: by which methods what goes back goes back, of each bill.
    """
    found = list(all_of_them)
    void = sum(each.fate.deed == Deed.VOID and each.bill.total > 0 for each in found)
    back = [each for each in found if each.fate.back > 0]
    kept = sum(each.fate.deed == Deed.KEEP and each.bill.paid > 0 and not each.fate.back for each in found)
    sentences = []
    if back:
        currency = back[0].token.currency
        amount = said(sum((each.fate.back for each in back), ZERO), currency)
        way = ways_words(_together(ways[each.bill.id] for each in back), currency)
        sentences.append(
            ngettext(
                "%(amount)s of %(n)d paid bill goes back %(way)s at the cash desk.",
                "%(amount)s of %(n)d paid bills goes back %(way)s at the cash desk.",
                len(back),
            )
            % {"amount": amount, "n": len(back), "way": way}
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


def back_of_each(all_of_them: Iterable[Becomes]) -> dict[int, Decimal]:
    """How much goes back to the patient of each token, where something does."""
    sums: dict[int, Decimal] = {}
    for each in all_of_them:
        if each.fate.back > 0:
            sums[each.token.id] = sums.get(each.token.id, ZERO) + each.fate.back
    return sums


def _together(ways: Iterable[Ways]) -> Ways:
    """One entry a method, over all bills; the largest first."""
    sums: dict[str, Decimal] = {}
    for method, amount in (part for each in ways for part in each):
        sums[method] = sums.get(method, ZERO) + amount
    return sorted(sums.items(), key=lambda part: (-part[1], part[0]))
