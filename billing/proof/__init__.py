"""The proof that bills, payments, shifts and the ledger agree: many checks, each one statement of SQL.

What each movement of money must have posted is reckoned anew from the documents and compared with the ledger, entry by
entry; and the documents are compared with each other. Each check is one statement, so it sees one moment, and money
may move while it runs. docs/billing.md lists the codes.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Facility
from billing.proof.checks import Check
from billing.proof.documents import DOCUMENTS
from billing.proof.drawers import DRAWERS
from billing.proof.numbers import NUMBERS
from billing.proof.papers import PAPERS
from billing.proof.postings import POSTINGS
from billing.rules import ZERO

CHECKS: Final[tuple[Check, ...]] = (*POSTINGS, *DOCUMENTS, *PAPERS, *DRAWERS, *NUMBERS)
MOST_NAMED: Final = 200
"""How many findings of a check are named; all are counted."""

_ASK: Final = """
SELECT kind, id, about, expected, found, count(*) OVER () AS findings,
       sum(abs(coalesce(found, 0) - coalesce(expected, 0))) OVER () AS difference
FROM ({check}) AS disagreeing (kind, id, about, expected, found)
ORDER BY id LIMIT {most}
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree.

    Attributes:
        code: of the check; stable.
        kind: what sort of row it is about, such as bill or payment.
        id: its id; None where there is none, such as a missing number.
        about: its number, or the account that it concerns.
        expected: what it should be, by the documents.
        found: what it is; None where it cannot be said as an amount.
    """

    code: str
    kind: str
    id: int | None
    about: str
    expected: Decimal | None
    found: Decimal | None

    @property
    def says(self) -> str:
        """What is wrong, for people."""
        return gettext(_SAYS[self.code])

    def as_json(self) -> dict[str, Any]:
        """As it is stored and answered: amounts are strings."""
        amounts = {"expected": self.expected, "found": self.found}
        return {"code": self.code, "kind": self.kind, "id": self.id, "about": self.about} | {
            name: None if amount is None else str(amount) for name, amount in amounts.items()
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found in a facility's money.

    Attributes:
        difference: all amounts that do not agree, added without their signs; 0.00 where all do.
        findings: what does not agree, up to `MOST_NAMED` of each check.
        counts: how many findings each check had, for those that had any.
        debits: the sum of all debits in the ledger, which is also that of all credits where it balances.
    """

    facility_id: int
    at: dt.datetime
    difference: Decimal
    findings: tuple[Finding, ...]
    counts: dict[str, int]
    transactions: int
    debits: Decimal
    credits: Decimal

    @property
    def balanced(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


_SAYS: Final = {check.code: check.says for check in CHECKS}

_SIZE: Final = """
SELECT count(DISTINCT t.id), coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0),
       coalesce(-sum(e.amount) FILTER (WHERE e.amount < 0), 0)
FROM billing_ledgertransaction t LEFT JOIN billing_ledgerentry e ON e.transaction_id = t.id
WHERE t.facility_id = %s
"""


def prove(
    facility: Facility,
    *,
    codes: Sequence[str] | None = None,
    at: dt.datetime | None = None,
    done: Callable[[], object] = lambda: None,
) -> Proof:
    """Look at all money of a facility. It reads only, and takes no lock.

    Args:
        codes: only these checks; all of them, where none are named.
        done: called after each check.
    """
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    difference = ZERO
    for check in CHECKS:
        if codes is not None and check.code not in codes:
            continue
        rows, count, differs = _ask(check, facility)
        findings += rows
        if count:
            counts[check.code] = count
        difference += differs
        done()
    transactions, debits, credits_ = ledger_size(facility)
    return Proof(facility.pk, at or timezone.now(), difference, tuple(findings), counts, transactions, debits, credits_)


def _ask(check: Check, facility: Facility) -> tuple[list[Finding], int, Decimal]:
    """The findings of a check, how many there are in all, and what they come to."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK.format(check=check.sql, most=MOST_NAMED), {"facility": facility.pk})
        rows = cursor.fetchall()
    if not rows:
        return [], 0, ZERO
    return [Finding(check.code, *row[:5]) for row in rows], rows[0][5], rows[0][6] or ZERO


def ledger_size(facility: Facility) -> tuple[int, Decimal, Decimal]:
    """How many transactions a facility's ledger has, and the sums of all its debits and credits."""
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, [facility.pk])
        transactions, debits, credits_ = cursor.fetchone()
    return transactions, debits, credits_
