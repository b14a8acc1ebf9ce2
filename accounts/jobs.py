"""What runs by the clock."""

from procrastinate.contrib.django import app

from accounts.actions import tidy


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="accounts.tidy")
def tidy_accounts(timestamp: int) -> None:
    """Forget, once an hour, what is kept for a day only."""
    tidy()
