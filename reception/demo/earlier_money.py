"""The money of the demo's days past: written by the day, in one go, from what happened to their tokens.

The days themselves are played through the actions; two thousand bills and payments one by one would take as long again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from django.db import connection

from accounts.models import Facility, User
from billing.models import BillingSettings, Drawer
from billing.prices import line_of
from billing.queries.prices import price_list
from reception.history.counting import Ids, Numbers
from reception.history.hospital import terms_of
from reception.history.money import Carried, MoneyDay
from reception.history.playing import News
from reception.history.records import Books, Till
from reception.history.taking import FLOAT, Desk
from reception.history.writing import Writer
from reception.money.refund_rules import owes
from scheduling.models import Session
from tokens.facts import TokenFacts
from tokens.models import Token
from tokens.reading import TOKEN_COLUMNS
from tokens.rules import NO_PLACE, NOT_SERVED, SENT_ON
from tokens.states import Status

BEFORE, AFTER = timedelta(minutes=30), timedelta(hours=2)
"""The cash desk is open so long before the first session and after the last."""


def news_of(facility: Facility, day: date) -> list[News]:
    """What the cash desk learned of the tokens of a day."""
    of_day = Token.objects.filter(session__facility=facility, session__date=day)
    tokens = {row[0]: TokenFacts(*row) for row in of_day.values_list(*TOKEN_COLUMNS)}
    told = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token_id, session_id, kind, status, changes::text, reason, at FROM tokens_event"
            " WHERE token_id = ANY(%s) ORDER BY token_id, seq",
            (list(tokens),),
        )
        for token_id, *event in cursor.fetchall():
            told[token_id].append(event)
    return [news for token_id, events in told.items() for news in _news(tokens[token_id], events)]


def _news(token: TokenFacts, events: list[list[Any]]) -> Iterator[News]:
    """What follows from the events of one token, while it was in its last session."""
    arrived = owed = billed = False
    for session_id, kind, status, changes, reason, at in events:
        changed = json.loads(changes)
        arrived = changed["arrived_at"] is not None if "arrived_at" in changed else arrived
        if session_id != token.session_id:
            continue
        owes_now = owes(status, arrived=arrived)
        if owes_now and not owed:
            yield News(at, "here", token)
            billed = True
        elif billed and status in (Status.CANCELLED, Status.NO_SHOW):
            yield News(at, "ends", token, by_clinic=not owed or reason in (NO_PLACE, NOT_SERVED, SENT_ON))
            billed = False
        elif owed and not owes_now:
            yield News(at, "waits", token)
        if kind == "completed":
            yield News(at, "seen", token)
        owed = owes_now


class TableIds(dict[str, Ids]):
    """Ids of any table that is asked for."""

    def __missing__(self, table: str) -> Ids:
        """Begin to take ids of a table."""
        self[table] = Ids(table)
        return self[table]


class EarlierMoney:
    """Writes what was billed and paid on the days past.

    Args:
        rules: what the facility has decided; the row need not be stored yet.
        clerk: who stands at the desk.
        cashier: who takes the money, at the facility's first drawer.
    """

    def __init__(self, facility: Facility, rules: BillingSettings, *, clerk: User, cashier: User) -> None:
        self.facility, self.cashier, self.clerk = facility, cashier, clerk
        today = facility.local_date()
        prices = [line_of(price, on=today) for price in price_list(facility.pk, today)]
        self.terms = terms_of(rules, facility.doctors.all(), prices, late=0.01, never=0.001, late_days=2)
        self.carried = Carried()
        self.ids = TableIds()
        self.numbers = Numbers(facility.pk)
        self.writer = Writer(facility.pk, facility.currency, ids=self.ids, numbers=self.numbers)
        self.drawer = Drawer.objects.filter(facility=facility).order_by("name").first()

    def write(self, day: date) -> None:
        """Bill and take the money of a day."""
        sessions = list(Session.objects.filter(facility=self.facility, date=day).prefetch_related("slots"))
        if not sessions or self.drawer is None:
            return
        chance = Random(f"money of {day}")
        books = Books()
        first, last = min(one.starts_at for one in sessions), max(one.ends_at for one in sessions)
        books.tills = [self._till(day, first - BEFORE, last + AFTER)]
        desk = Desk(
            day,
            books,
            books.tills,
            facility_id=self.facility.pk,
            advances=self.carried.advances,
            accounts=self.carried.accounts,
            ids=self.ids,
            numbers=self.numbers,
            chance=chance,
        )
        MoneyDay(
            day,
            books,
            terms=self.terms,
            carried=self.carried,
            desk=desk,
            ids=self.ids,
            numbers=self.numbers,
            doctors={one.pk: one.doctor_id for one in sessions},
            starts={slot.pk: slot.starts_at for one in sessions for slot in one.slots.all()},
            clerk=self.clerk.pk,
            chance=chance,
        ).play(news_of(self.facility, day))
        desk.count()
        self.writer.write(day, [], books)

    def _till(self, day: date, opens: datetime, closes: datetime) -> Till:
        assert self.drawer is not None
        number = next(self.ids["billing_shift"])
        return Till(number, self.cashier.pk, self.drawer.pk, 1, day, opens, closes, FLOAT, FLOAT)
