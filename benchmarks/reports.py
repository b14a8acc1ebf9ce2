"""The reports of a day and of a month on a year of a large hospital: what the server takes for the page.

The same figures by hand (`benchmarks/reports_by_hand.py`) are asked for in turn, and the page is held to them first.
"""

import time
from collections.abc import Callable
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
from benchmarks.comparison import Unfair
from benchmarks.live_wire import percentiles
from benchmarks.reports_by_hand import by_hand, differences
from reception.history import Plan, load_history
from reports import periods
from reports.queries.scope import Scope
from reports.report import report

ROUNDS: Final = 15
SLUG: Final = "history"


def measure(*, visits: int, days: int = 365, rounds: int = ROUNDS) -> dict[str, Any]:
    """Load the history, and ask for its pages as a manager who sees the money too."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else whitenoise complains
    last = timezone.localdate() - timedelta(days=1)
    found: dict[str, Any] = {"history": _load(Plan(visits, days, last, SLUG))}
    client = _manager()
    busy = _busiest(last)
    for name, text in (("a day", f"{busy}"), ("a month", f"{busy:%Y-%m}")):
        found[name], found[f"{name} by hand"] = _in_turn(client, text, rounds)
    found["a month of a doctor"] = _page(client, f"date={busy:%Y-%m}&doctor={_somebody()}", rounds)
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


def _scope(text: str) -> Scope:
    """A day or a month of the whole house."""
    facility = Facility.objects.get(slug=SLUG)
    period = periods.parse(text, timezone.localtime(timezone.now(), facility.tz))
    return Scope(facility.pk, facility.time_zone, facility.currency, period)


def _in_turn(client: Client, text: str, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The page and its figures by hand, one after the other in each round.

    Raises:
        Unfair: a figure is not what it is by hand.
    """
    scope = _scope(text)
    if wrong := differences(report(scope, money=True, bills=None), by_hand(scope)):
        raise Unfair(f"{text}: {', '.join(wrong)} differ from what they are by hand.")
    found = _asked(client, f"date={text}")
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: client.get(f"/reports/?date={text}")))
        theirs.append(_seconds(lambda: by_hand(scope)))
    page, hand = percentiles(ours, 0), percentiles(theirs, 0)
    return page | found | {"ratio": round(hand["p50_ms"] / page["p50_ms"], 2)}, hand


def _page(client: Client, asked: str, rounds: int) -> dict[str, Any]:
    """Percentiles of a page, after it was asked for once."""
    found = _asked(client, asked)
    return percentiles([_seconds(lambda: client.get(f"/reports/?{asked}")) for _ in range(rounds)], 0) | found


def _asked(client: Client, asked: str) -> dict[str, int]:
    """How many queries a page makes, and how large it is."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/reports/?{asked}")
    if answer.status_code != 200:
        raise RuntimeError(f"{asked} answered {answer.status_code}: {answer.content[:500]!r}")
    return {"queries": len(queries), "kb": len(answer.content) // 1000}


def _seconds(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began
