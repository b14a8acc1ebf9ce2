"""How a sum is paid: tenders, change, and what of each goes to the bill. No database, no clock, no settings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext_noop as _

from billing.errors import BadAmount, ReferenceNeeded
from billing.references import normal
from billing.rules import ZERO, NotMoney, exact
from billing.states import BY_REFERENCE, Method
from common.errors import BadInput


@dataclass(frozen=True, slots=True)
class Tender:
    """One way of paying one sum.

    Attributes:
        method: one of `states.Method`.
        amount: what is paid so, in the facility's currency.
        reference: of the card terminal, the bank or the wallet.
        tendered: cash that was handed over, where it was more than the amount.
    """

    method: str
    amount: Decimal
    reference: str = ""
    tendered: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of a tender: so much pays the bill, the rest stays on the patient's account."""

    tender: Tender
    on_bill: Decimal
    rest: Decimal


def amount_of(value: Decimal, *, attr: str = "amount", zero: bool = False) -> Decimal:
    """An amount as money has it: finite, two decimals, above zero (or zero, where that is allowed).

    Raises:
        BadAmount: it is none.
    """
    try:
        amount = exact(value)
    except NotMoney:
        raise BadAmount(attr=attr) from None
    if not amount and not zero:
        raise BadAmount(attr=attr)
    return amount


def checked(tenders: Iterable[Tender]) -> tuple[Tender, ...]:
    """The tenders in their normal form: exact amounts, trimmed references, what was handed over where cash was.

    Raises:
        BadInput: there is none, or a method that does not exist, or the same reference twice.
        BadAmount: an amount that money does not have, or less handed over than is paid.
        ReferenceNeeded: a way of paying that is found again by its reference has none.
    """
    found = tuple(_checked(tender) for tender in tenders)
    if not found:
        raise BadInput(_("Say how it is paid."), attr="tenders")
    named = [(tender.method, normal(tender.reference)) for tender in found if tender.reference]
    if len(set(named)) < len(named):
        raise BadInput(_("A reference stands for one payment."), attr="reference")
    return found


def _checked(tender: Tender) -> Tender:
    if tender.method not in Method.values:
        raise BadInput(_("There is no such way to pay."), attr="method")
    amount, reference = amount_of(tender.amount), tender.reference.strip()
    if tender.method in BY_REFERENCE and not normal(reference):
        raise ReferenceNeeded(attr="reference")
    if len(reference) > 100:
        raise BadInput(_("A reference has at most 100 characters."), attr="reference")
    tendered = None
    if tender.method == Method.CASH:
        tendered = amount if tender.tendered is None else amount_of(tender.tendered, attr="tendered")
        if tendered < amount:
            raise BadAmount(_("Less was handed over than is to be paid."), attr="tendered")
    return replace(tender, amount=amount, reference=reference, tendered=tendered)


def total(tenders: Iterable[Tender]) -> Decimal:
    """What is paid in all."""
    return sum((tender.amount for tender in tenders), ZERO)


def handed_over(tenders: Iterable[Tender]) -> Decimal:
    """Cash that the patient put on the desk."""
    return sum((tender.tendered or ZERO for tender in tenders), ZERO)


def change(tenders: Iterable[Tender]) -> Decimal:
    """Cash to give back at once: handed over less taken."""
    return sum((tender.tendered - tender.amount for tender in tenders if tender.tendered is not None), ZERO)


def split(tenders: Sequence[Tender], due: Decimal) -> list[Part]:
    """What of each tender pays the bill, in the order given, and what is left over.

    What comes from the patient's account pays first, whatever its place: what is left over goes onto that account,
    so it must have come from elsewhere.

    Args:
        tenders: checked ones.
        due: what the bill asks for, above zero.
    """
    parts: dict[int, Part] = {}
    for index in sorted(range(len(tenders)), key=lambda index: tenders[index].method != Method.ACCOUNT):
        on_bill = min(due, tenders[index].amount)
        due -= on_bill
        parts[index] = Part(tenders[index], on_bill, tenders[index].amount - on_bill)
    return [parts[index] for index in range(len(tenders))]


def same_money(one: Iterable[tuple[str, str, Decimal]], other: Iterable[tuple[str, str, Decimal]]) -> bool:
    """Whether two lists of (method, reference, amount) are the same sums by the same ways.

    However they are split, and however the references are written.
    """
    return _sums(one) == _sums(other)


def _sums(rows: Iterable[tuple[str, str, Decimal]]) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = {}
    for method, reference, amount in rows:
        key = (method, normal(reference))
        sums[key] = sums.get(key, ZERO) + amount
    return sums


def draw(sources: Iterable[tuple[int, Decimal]], wanted: Decimal) -> list[tuple[int, Decimal]]:
    """Take a sum from several sources in their order: (which, how much of it), until the sum is there.

    Args:
        sources: (which, how much it has); one that has nothing is passed over.
        wanted: the sum. Where the sources have less in all, everything is taken.
    """
    taken = []
    for which, has in sources:
        part = min(has, wanted)
        if part > 0:
            taken.append((which, part))
            wanted -= part
    return taken


def counted_of(counts: dict[str, int], denominations: Iterable[Decimal]) -> tuple[dict[str, int], Decimal]:
    """A drawer as it was counted: how many of each note and coin, and what they are together.

    Args:
        counts: by the value of the note, such as {"500": 12, "0.50": 3}.
        denominations: the notes and coins of the facility.

    Returns:
        The counts without zeros, by the value in its shortest form, and their sum.

    Raises:
        BadInput: a note that the facility does not have, or no whole number of it.
    """
    known = {Decimal(each) for each in denominations}
    normal: dict[Decimal, int] = {}
    for name, count in counts.items():
        try:
            value = Decimal(str(name))
        except ArithmeticError:
            value = None
        if value is None or not value.is_finite() or value not in known:
            raise BadInput(_("{name} is no note or coin here."), attr="counts", name=str(name))
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1_000_000:
            raise BadInput(_("Count whole notes and coins."), attr="counts")
        normal[value] = normal.get(value, 0) + count
    largest_first = sorted((value for value, count in normal.items() if count), reverse=True)
    return (
        {format(value.normalize(), "f"): normal[value] for value in largest_first},
        sum((value * normal[value] for value in largest_first), Decimal("0.00")),
    )
