"""What cashiers type, read before an action sees it. Nothing that the browser worked out is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop as _

from billing.errors import BadAmount
from billing.states import Method
from billing.tenders import Tender
from common.amounts import read
from common.errors import BadInput, DomainError

ZERO = Decimal(0)


class MethodMissing(BadInput):
    """Nothing says how it is paid."""

    code = "required"
    sentence = _("Choose how it is paid.")


class NothingSplit(BadInput):
    """All fields of the split are empty."""

    code = "required"
    sentence = _("Write an amount beside each way it is paid.")


def amount_in(sent: Mapping[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    """An amount of a form.

    Args:
        default: where the field is empty; without one that is refused.

    Raises:
        BadAmount: what was typed is none.
    """
    text = str(sent.get(name, "")).strip()
    if not text and default is not None:
        return default
    found = read(text)
    if found is None:
        raise BadAmount(attr=name)
    return found


class SentBefore(DomainError):
    """The same form was sent before with other figures, and was done then."""

    code = "sent_before"
    sentence = _("This was done already, with other figures. Look at what stands here before you send it again.")


@dataclass(frozen=True)
class Taking:
    """How a sum is paid, as the form says it.

    Attributes:
        keep: whether what is more than due stays on the patient's account.
    """

    tenders: list[Tender]
    keep: bool


def taking(sent: Mapping[str, Any], due: Decimal) -> Taking:
    """The tenders of a form.

    Cash beyond what is due is change to give, unless it is to be kept; other ways are taken as they were typed.

    Args:
        due: what is to be paid, by the server's reading. An advance has no due: 0.

    Raises:
        BadAmount, MethodMissing, NothingSplit
    """
    keep = "keep" in sent
    if "split" in sent:
        return Taking(_split(sent, due, keep=keep), keep)
    method = str(sent.get("method", ""))
    if method not in Method.values:
        raise MethodMissing(attr="method")
    if method == Method.CASH:
        return Taking([_cash(amount_in(sent, "received", due or None), due, keep=keep)], keep)
    amount = amount_in(sent, "amount", due or None)
    return Taking([Tender(method, amount, str(sent.get("reference", "")).strip())], keep)


def _cash(handed: Decimal, due: Decimal, *, keep: bool) -> Tender:
    """Cash that was handed over: so much of it is taken, the rest is change."""
    amount = min(handed, due) if due and not keep else handed
    return Tender(Method.CASH, amount, tendered=handed)


def _split(sent: Mapping[str, Any], due: Decimal, *, keep: bool) -> list[Tender]:
    typed = {method: amount_in(sent, f"split_{method}", ZERO) for method in Method.values}
    rest = due
    found = []
    for method, amount in typed.items():
        if amount and method != Method.CASH:
            found.append(Tender(method, amount, str(sent.get(f"reference_{method}", "")).strip()))
            rest -= amount
    if typed[Method.CASH]:
        # What other ways have paid already, cash cannot pay: it is change, or kept.
        found.insert(0, _cash(typed[Method.CASH], max(rest, ZERO) if due else ZERO, keep=keep or rest <= 0))
    if not found:
        raise NothingSplit(attr="split_cash")
    return found
