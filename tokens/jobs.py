"""What runs by the clock."""

import logging
from functools import partial

from django.db import OperationalError
from procrastinate.contrib.django import app

from common.errors import DomainError
from common.transactions import outermost
from tokens import queries
from tokens.allocation import settle_session

logger = logging.getLogger("opd.jobs")


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="tokens.settle")
def settle_running_sessions(timestamp: int) -> None:
    """Settle, once a minute, the sessions in which somebody waits: slots end and begin, which is nobody's action.

    Each in its own transaction; one that cannot be had now is tried again in a minute. Two workers at once do no harm:
    the second finds everything settled.
    """
    for session_id in queries.sessions_to_settle():
        try:
            outermost(partial(settle_session, session_id=session_id))
        except (DomainError, OperationalError) as error:
            logger.warning("session %s was not settled: %s", session_id, error)
