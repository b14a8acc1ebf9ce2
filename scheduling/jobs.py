"""What runs by the clock."""

from functools import partial

from procrastinate.contrib.django import app

from common.transactions import outermost
from scheduling.actions import generate_sessions
from scheduling.queries import active_facilities


@app.periodic(cron="0 1 * * *")
@app.task(queueing_lock="scheduling.generate")
def generate_next_days(timestamp: int) -> None:
    """Make the day that has come into sight, every night, in a transaction a facility."""
    for facility in active_facilities():
        outermost(partial(generate_sessions, facility_id=facility.pk, by=None))
