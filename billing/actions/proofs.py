"""Keeping what a proof found."""

import datetime as dt

from django.db import transaction

from accounts.models import Facility
from billing.models import ProofRun
from billing.proof import Proof, prove


def run_proof(*, facility_id: int, at: dt.datetime | None = None) -> ProofRun:
    """Prove a facility's money and keep the result, whichever it is."""
    return keep_proof(prove(Facility.objects.get(pk=facility_id), at=at))


@transaction.atomic(savepoint=False)
def keep_proof(proof: Proof) -> ProofRun:
    """Keep what a proof found."""
    return ProofRun.objects.create(
        facility_id=proof.facility_id,
        at=proof.at,
        balanced=proof.balanced,
        difference=proof.difference,
        findings=[finding.as_json() for finding in proof.findings],
    )
