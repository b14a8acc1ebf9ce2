"""From lines as they are asked for to lines as they are stored."""

from collections.abc import Sequence

from django.utils.translation import gettext_noop as _

from billing.errors import BadAmount, DiscountTooLarge, NoLines, ReasonNeeded
from billing.models import Bill, Line
from billing.rules import MOST, MOST_LINES, LineIn, NotMoney, Off, OffTooLarge, Totals, totals
from common.errors import BadInput


def reckon(lines: Sequence[LineIn], discount: Off | None, discount_reason: str) -> Totals:
    """The amounts of a bill to be, where everything about it can be stored.

    Raises:
        NoLines, BadAmount, DiscountTooLarge, ReasonNeeded, BadInput: 400.
    """
    if not lines:
        raise NoLines(attr="lines")
    if len(lines) > MOST_LINES:
        raise BadInput(_("A bill has at most {most} lines."), attr="lines", most=MOST_LINES)
    if not all(line.description.strip() for line in lines):
        raise BadInput(_("Say what each line is for."), attr="lines")
    try:
        sums = totals(lines, discount)
    except NotMoney:
        raise BadAmount(
            _("A price has two decimals, a quantity is above zero and has three; a line comes to {most} at most."),
            attr="lines",
            most=MOST,
        ) from None
    except OffTooLarge:
        raise DiscountTooLarge(attr="discount") from None
    for line, one in zip(lines, sums.lines, strict=True):
        if one.discount and not _reason(line, discount_reason):
            raise ReasonNeeded(attr="discount_reason")
    return sums


def write_lines(bill: Bill, lines: Sequence[LineIn], sums: Totals, discount_reason: str) -> list[Line]:
    """Store the lines of a draft, in their order."""
    rows = [
        Line(
            bill=bill,
            position=position,
            description=line.description.strip(),
            quantity=line.quantity,
            unit_price=line.unit_price,
            gross=one.gross,
            discount=one.discount,
            discount_reason=_reason(line, discount_reason) if one.discount else "",
            tax_percent=line.tax_percent,
            tax_included=line.tax_included,
            tax=one.tax,
            total=one.total,
            item_type=line.item_type,
            item_id=line.item_id,
            department_id=line.department_id,
            doctor_id=line.doctor_id,
        )
        for position, (line, one) in enumerate(zip(lines, sums.lines, strict=True), start=1)
    ]
    written = bill.lines.all()
    # As after a prefetch: who shows the bill need not read them again while others wait for the next number.
    written._result_cache = Line.objects.bulk_create(rows)
    bill._prefetched_objects_cache = {"lines": written}  # type: ignore[attr-defined]
    return list(written)


def _reason(line: LineIn, of_the_bill: str) -> str:
    """Why something comes off a line: its own reason and the bill's."""
    reasons = dict.fromkeys(each.strip() for each in (line.discount_reason, of_the_bill) if each.strip())
    return "; ".join(reasons)[:200]
