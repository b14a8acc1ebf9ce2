"""``manage.py prove_ledger``: do bills, payments, shifts and the ledger agree?"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from accounts.models import Facility
from billing.actions.proofs import keep_proof
from billing.proof import CHECKS, Finding, Proof, prove

MOST_SHOWN = 50


class Command(BaseCommand):
    """Says of each facility whether its money agrees, and names what does not."""

    help = "Prove that bills, payments, shifts and the ledger agree, and name what does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which facilities, and what follows."""
        parser.add_argument("--facility", metavar="SLUG", help="only this one")
        parser.add_argument("--keep", action="store_true", help="keep the result, as the nightly proof does")
        parser.add_argument("--check", action="store_true", help="end with code 1 where anything does not agree")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prove, report."""
        facilities = Facility.objects.order_by("name")
        if options["facility"]:
            facilities = facilities.filter(slug=options["facility"])
            if not facilities:
                raise CommandError(f"There is no facility {options['facility']}.")
        quiet = not options["verbosity"] or None
        with tqdm(total=len(facilities) * len(CHECKS), desc="Prove", unit="check", leave=False, disable=quiet) as bar:
            proofs = [(facility, self._prove(facility, bar, keep=options["keep"])) for facility in facilities]
        for facility, proof in proofs:
            self._report(facility, proof)
        if options["check"] and not all(proof.balanced for _, proof in proofs):
            sys.exit(1)

    def _prove(self, facility: Facility, bar: Any, *, keep: bool) -> Proof:
        proof = prove(facility, done=bar.update)
        if keep:
            with transaction.atomic():
                keep_proof(proof)
        return proof

    def _report(self, facility: Facility, proof: Proof) -> None:
        for finding in proof.findings[:MOST_SHOWN]:
            self.stderr.write(_in_words(finding))
        if len(proof.findings) > MOST_SHOWN:
            self.stderr.write(f"... and {sum(proof.counts.values()) - MOST_SHOWN} more")
        verdict = "all agree." if proof.balanced else f"{proof.difference} {facility.currency} do not agree."
        self.stdout.write(
            f"{facility}: {proof.transactions} transactions, {proof.debits} {facility.currency} on each side: {verdict}"
        )


def _in_words(finding: Finding) -> str:
    amounts = "" if finding.found is None else f" Expected {finding.expected}, found {finding.found}."
    return f"{finding.code}: {finding.kind} {finding.id or ''} {finding.about}: {finding.says}{amounts}"
