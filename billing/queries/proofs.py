"""Whether the money of a facility agrees, as somebody who waits for the answer is told."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final

from accounts.models import Facility
from billing.models import LedgerTransaction, ProofRun
from billing.proof import Finding, Proof, ledger_size, prove

MOST_AT_ONCE: Final = 50_000
"""Transactions of a ledger that are proved while somebody waits: a second or two."""


def proof_to_show(facility: Facility, *, anew: bool = False) -> Proof:
    """The proof of a facility: made now, or the last one that was kept where the ledger is too large to wait for.

    Args:
        anew: made now in any case.
    """
    kept = None if anew or not _is_large(facility) else _last(facility)
    return _as_proof(facility, kept) if kept else prove(facility)


def _is_large(facility: Facility) -> bool:
    return LedgerTransaction.objects.filter(facility=facility).order_by()[MOST_AT_ONCE : MOST_AT_ONCE + 1].exists()


def _last(facility: Facility) -> ProofRun | None:
    return ProofRun.objects.filter(facility=facility).order_by("-at").first()


def _as_proof(facility: Facility, run: ProofRun) -> Proof:
    """What was kept, with the size of the ledger as it is now. Of many findings of a code some were named."""
    findings = tuple(_finding(each) for each in run.findings)
    counts = dict(Counter(finding.code for finding in findings))
    return Proof(facility.pk, run.at, run.difference, findings, counts, *ledger_size(facility))


def _finding(kept: dict[str, Any]) -> Finding:
    amounts = {name: None if kept[name] is None else Decimal(kept[name]) for name in ("expected", "found")}
    return Finding(**{**kept, **amounts})
