"""What tokens mean for bills (`OPD_CONSEQUENCES`), and bills for tokens (`OPD_BILL_CONSEQUENCES`).

Everything happens in the transaction of the action itself. Where nothing is to be done it costs no query; where a
facility has no billing settings, one every few seconds.

Numbers are drawn in one order whatever is done, so that no two transactions wait for each other: credit notes, refund
vouchers, bills, receipts.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from billing.actions import create_bill, credit_bill, give_back, pay, void_bill
from billing.changes import BillChange
from billing.desk import lock_accounts
from billing.models import Bill
from billing.rules import ZERO
from billing.states import Method
from billing.tenders import Tender
from reception.money import fees, reading, visits
from reception.money.deciding import Becomes, Change, changes, fates, loss
from reception.money.fees import Service
from reception.money.holding import deciding, is_deciding
from reception.money.reading import BillOf, TokenMoney
from reception.money.refund_rules import Deed, owes
from reception.money.tokens_of_bills import NO_SESSION, follow
from reception.money.words import reason_of
from tokens import live
from tokens.outcome import Outcome
from tokens.states import Source

CARRIED: Final = "The token has a place again"
"""Why what was left of a former bill goes to the new one."""


# Tokens


def of_tokens(outcome: Outcome) -> None:
    """Open visits and bills for those who are here and hold a place; void or credit what others lost."""
    changed = changes(outcome.touched)
    facility_id = outcome.session.facility_id
    if not changed or reading.never_bills(facility_id):
        return
    known = reading.read([change.token_id for change in changed], facility_id=facility_id)
    if known:
        with deciding():
            _follow([(known[change.token_id], change) for change in changed if change.token_id in known], outcome)


def _follow(found: list[tuple[TokenMoney, Change]], outcome: Outcome) -> None:
    tokens = [token for token, _ in found]
    _lock_accounts(tokens)
    _lose([becomes for token, change in found for becomes in fates(token, loss(token, change), outcome.at)], outcome.at)
    here = [token for token in tokens if owes(token.status, arrived=token.arrived)]
    _bill([token for token in here if token.live_id is None], outcome)
    for token in here:
        if token.live_id is not None and _lacks_priority(token):
            _bill_priority(token, outcome.at)


def _lock_accounts(tokens: list[TokenMoney]) -> None:
    """Lock the accounts through which money will go: they stand before all numbers. No query where there is none."""
    carry = {
        (token.facility_id, token.patient_id)
        for token in tokens
        if owes(token.status, arrived=token.arrived) and token.may_carry
    }
    for facility_id, patient_id in sorted(carry):
        lock_accounts(facility_id, patient_id)


def _lose(all_of_them: list[Becomes], at: datetime) -> None:
    """Void and credit bills, in the order of their ids."""
    for becomes in sorted(all_of_them, key=lambda each: each.bill.id):
        reason = reason_of(becomes.loss, becomes.fate)
        _carry_out(becomes.bill, becomes.fate.deed, becomes.fate.credit, reason, at)
    freed = [becomes for becomes in all_of_them if becomes.frees]
    visits.unlink(becomes.token.id for becomes in freed)
    for becomes in freed:
        becomes.token.live_id = None
        becomes.bill.in_force = False


def _carry_out(bill: BillOf, deed: Deed, credit: Decimal, reason: str, at: datetime) -> None:
    if bill.void:
        return
    if deed == Deed.VOID:
        void_bill(bill_id=bill.id, reason=reason, by=None, at=at)
        bill.void = True
    elif deed == Deed.CREDIT:
        credit_bill(bill_id=bill.id, amount=credit, reason=reason, by=None, at=at)
        bill.credited += credit


# New bills


def _bill(tokens: list[TokenMoney], outcome: Outcome) -> None:
    """Open the visit and the consultation bill of each; what was paid for the same token before pays the new bill."""
    if not tokens:
        return
    carried = _carry(tokens, outcome.at)
    visits.open_visits(tokens, at=outcome.at, by_id=outcome.actor_id)
    made: dict[int, Bill] = {}
    for token, service in zip(tokens, _services(tokens), strict=True):
        lines = fees.lines(service, token.rules)
        if lines:
            made[token.id] = _create(token, lines, fees.VISIT, token.visit_id, outcome.at)
    visits.link(tokens, {token_id: bill.pk for token_id, bill in made.items()})
    for token_id, bill in made.items():
        _pay_from_account(bill, carried.get(token_id, ZERO), outcome.at)


def _create(token: TokenMoney, lines: list[fees.LineIn], kind: str, about_id: int | None, at: datetime) -> Bill:
    return create_bill(
        facility_id=token.facility_id,
        patient_id=token.patient_id,
        lines=lines,
        billable_type=kind,
        billable_id=about_id,
        about=token.about,
        by_rule=True,
        by=None,
        at=at,
    )


def _services(tokens: list[TokenMoney]) -> Iterable[Service]:
    """What each is billed for. No query, but for follow-ups, and where the hospital fee is asked for once."""
    rules = tokens[0].rules
    follow_ups = [token.id for token in tokens if token.source == Source.FOLLOW_UP]
    days = rules.follow_up_free_days
    last = reading.last_consultations(follow_ups, days) if follow_ups and days else {}
    once = [token.visit_id for token in tokens if token.visit_id] if rules.hospital_fee_once else []
    charged = reading.fee_charged(once) if once else set()
    for token in tokens:
        free = fees.free_days(follow_up=token.id in last, last=last.get(token.id), on=token.date, days=days)
        yield token.service(
            priority=_lacks_priority(token), free_days=free, hospital_fee_charged=token.visit_id in charged
        )
        if rules.hospital_fee_once and token.visit_id and token.hospital_fee and not free:
            charged.add(token.visit_id)


def _lacks_priority(token: TokenMoney) -> bool:
    """Whether the token has priority that is on no bill."""
    return token.paid and not token.has_priority_bill


def _bill_priority(token: TokenMoney, at: datetime) -> None:
    """Priority was given after the consultation was billed: it gets a bill of its own."""
    lines = fees.priority_lines(token.service(priority=True), token.rules)
    if lines:
        _create(token, lines, fees.TOKEN, token.id, at)


# What was paid before for the same token


def _carry(tokens: list[TokenMoney], at: datetime) -> dict[int, Decimal]:
    """Move what is left of former bills to the patients' accounts; gives the sum of each token.

    A token never costs its fee twice: also what was kept after a late cancellation goes to the new bill.
    """
    former = sorted(
        ((token, bill) for token in tokens for bill in token.former), key=lambda pair: (pair[1].id, pair[0].id)
    )
    for _token, bill in former:
        left = bill.total - bill.credited
        if left:
            _carry_out(bill, Deed.CREDIT, left, CARRIED, at)
    carried: dict[int, Decimal] = {}
    for token, bill in former:
        if bill.paid:
            give_back(bill_id=bill.id, reason=CARRIED, to_account=True, by=None, at=at)
            carried[token.id] = carried.get(token.id, ZERO) + bill.paid
            bill.paid = ZERO
    return carried


def _pay_from_account(bill: Bill, amount: Decimal, at: datetime) -> None:
    amount = min(amount, bill.due)
    if amount > 0:
        pay(bill_id=bill.pk, tenders=[Tender(Method.ACCOUNT, amount)], by=None, at=at)


# Bills


def of_money(facility_id: int) -> None:
    """A shift or an account changed: the cash desk's screens show it."""
    live.announce(facility_id, (NO_SESSION,))


def of_bill(change: BillChange) -> None:
    """Who has paid for priority gets it at once; while the priority is used its fee stays; screens are told.

    Raises:
        PriorityInUse: 409.
    """
    if not is_deciding():  # there the engine's action tells the screens itself
        follow(change)
