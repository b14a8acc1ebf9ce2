"""What runs by the clock."""

import logging
from functools import partial

from procrastinate.contrib.django import app

from billing.actions.proofs import run_proof
from common.transactions import outermost
from scheduling.queries import active_facilities

logger = logging.getLogger("opd.jobs")


@app.periodic(cron="30 1 * * *")
@app.task(queueing_lock="billing.prove")
def prove_ledgers(timestamp: int) -> None:
    """Prove, every night, that bills, payments and ledger agree, in a transaction a facility; keep what was found."""
    for facility in active_facilities():
        run = outermost(partial(run_proof, facility_id=facility.pk))
        if not run.balanced:
            logger.error("the money of %s does not agree: %s findings", facility, len(run.findings))
