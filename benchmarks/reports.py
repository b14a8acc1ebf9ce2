"""The reports of a day and of a month on a year of a large hospital: what the server takes for the page."""

import time
from datetime import date, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tqdm import tqdm

from accounts.actions import give_role
from accounts.models import Facility, User
from benchmarks.live_wire import percentiles
from reception.history import Plan, load_history

ROUNDS: Final = 15
SLUG: Final = "history"


def measure(*, visits: int, days: int = 365, rounds: int = ROUNDS) -> dict[str, Any]:
    """Load the history, and ask for its pages as a manager who sees the money too."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else whitenoise complains
    last = timezone.localdate() - timedelta(days=1)
    found: dict[str, Any] = {"history": _load(Plan(visits, days, last, SLUG))}
    client = _manager()
    busy = _busiest(last)
    month = f"{busy:%Y-%m}"
    for name, asked in (
        ("a day", f"date={busy}"),
        ("a month", f"date={month}"),
        ("a month of a doctor", f"date={month}&doctor={_somebody()}"),
    ):
        found[name] = _page(client, f"/reports/?{asked}", rounds)
    return found


def _load(plan: Plan) -> dict[str, Any]:
    began = time.perf_counter()
    with tqdm(total=plan.visits, desc="  History", unit="visit", leave=False) as bar:
        loaded = load_history(plan, lambda visits: bar.update(visits - bar.n))
    seconds = time.perf_counter() - began
    return vars(loaded) | {"seconds": round(seconds, 1), "visits_a_second": round(loaded.visits / seconds)}


def _manager() -> Client:
    user = User.objects.create_user("vikram", name="Vikram")
    give_role(user=user, role="manager", facility=Facility.objects.get(slug=SLUG))
    client = Client()
    client.force_login(user)
    return client


def _busiest(last: date) -> date:
    """The day of the last two months with most visits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date FROM reception_visit WHERE date BETWEEN %s AND %s"
            " GROUP BY date ORDER BY count(*) DESC, date LIMIT 1",
            [last - timedelta(days=60), last],
        )
        return cursor.fetchone()[0]


def _somebody() -> int:
    return Facility.objects.get(slug=SLUG).doctors.earliest("pk").pk


def _page(client: Client, path: str, rounds: int) -> dict[str, Any]:
    """Percentiles of a page, after it was asked for once."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.content[:500]!r}")
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(path)
        seconds.append(time.perf_counter() - began)
    return percentiles(seconds, 0) | {"queries": len(queries), "kb": len(answer.content) // 1000}
