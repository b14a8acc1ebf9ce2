"""Loads the past of a hospital, a day at a time: played in memory by the engine's rules, written by COPY."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil
from random import Random

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Facility
from common.errors import BadInput, Refused
from common.transactions import outermost
from reception.demo.loading import NotInProduction
from reception.history.counting import Ids, Numbers
from reception.history.crowd import Crowd, shares, visitors
from reception.history.hospital import Ground, Post, ground, open_hospital
from reception.history.money import Carried, MoneyDay
from reception.history.playing import News, Play
from reception.history.records import Books, Till
from reception.history.taking import FLOAT, Desk
from reception.history.writing import Writer
from scheduling.models import Session
from scheduling.rules import prefix_at
from tokens.facts import SessionFacts, SlotFacts
from tokens.reading import TOKEN_COLUMNS
from tokens.states import Status

Done = Callable[[int], object]

SLOT_MINUTES = 30
HOURS = ((time(9), 8), (time(15), 6))
"""The sessions of a day: when they begin, and how many slots they have."""

SHIFTS = ((time(8), time(14, 30)), (time(10), time(17, 30)), (time(13, 30), time(20, 30)))
MOST_VISITS, MOST_DAYS = 2_000_000, 3660
_COME = 0.84
"""Of those who ask so many come and are there when a place is; corrected day by day by how many it were."""

_TABLES = (
    "scheduling_session", "scheduling_slot", "tokens_token", "reception_visit", "billing_bill", "billing_line",
    "billing_shift", "billing_receipt", "billing_payment", "billing_refund", "billing_creditnote",
    "billing_ledgertransaction",
)  # fmt: skip


class DaysTaken(Refused):
    """The days have a past already."""

    code = "days_taken"
    sentence = "{facility} has sessions on these days already, the first on {day}: choose others, or another hospital."


@dataclass(frozen=True)
class Plan:
    """What is loaded.

    Attributes:
        visits: about so many patients' days; how many it were is in the answer.
        until: the last day.
        facility: the slug of the hospital; one that is not there is opened.
        seed: the same seed makes the same past.
    """

    visits: int
    days: int
    until: date
    facility: str
    seed: int = 2026

    @property
    def first(self) -> date:
        """The first day."""
        return self.until - timedelta(days=self.days - 1)

    def all_days(self) -> list[date]:
        """From the first day to the last."""
        return [self.first + timedelta(days=n) for n in range(self.days)]


@dataclass
class Loaded:
    """How much was written."""

    days: int = 0
    visits: int = 0
    tokens: int = 0
    events: int = 0
    bills: int = 0
    payments: int = 0
    refunds: int = 0
    entries: int = 0

    def add(self, books: Books) -> None:
        """Count a day."""
        self.days += 1
        self.visits += books.visits
        self.tokens += books.count("tokens_token")
        self.events += books.count("tokens_event")
        self.bills += len(books.bills)
        self.payments += books.count("billing_payment")
        self.refunds += books.count("billing_refund")
        self.entries += sum(len(entries) for _, entries in books.posted)


def load_history(plan: Plan, done: Done = lambda visits: None) -> Loaded:
    """Load the past; each day is a transaction of its own.

    Left out, for no past needs them: estimates of waits, slips, who was told of what, changes of supply but the
    closing of sessions, hand-overs of drawers, and priority that is paid for later.

    Args:
        done: called after each day with the visits it brought.

    Raises:
        NotInProduction
        DaysTaken: the facility has sessions on these days.
        BadInput: a size out of bounds, or a facility without doctors.
        SomebodyElse: somebody made bills there meanwhile.
    """
    if settings.PRODUCTION:
        raise NotInProduction
    if not (1 <= plan.visits <= MOST_VISITS and 1 <= plan.days <= MOST_DAYS):
        raise BadInput(f"visits lie between 1 and {MOST_VISITS}, days between 1 and {MOST_DAYS}.")
    place = outermost(lambda: _prepare(plan))
    past = Past(plan, place)
    for share in past.shares:
        past.day(share)
        done(past.loaded.visits)
        if past.loaded.days in (1, 10):  # so soon the database has not looked itself, and it would plan badly
            know_sizes()
    know_sizes()
    return past.loaded


def know_sizes() -> None:
    """Tell the database how large its tables are by now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _prepare(plan: Plan) -> Ground:
    facility = Facility.objects.filter(slug=plan.facility).first()
    if facility is None:
        working = sum(day.weekday() < 6 for day in plan.all_days()) or plan.days
        facility = open_hospital(plan.facility, visits_a_day=plan.visits / working)
    taken = Session.objects.filter(facility=facility, date__range=(plan.first, plan.until)).order_by("date").first()
    if taken is not None:
        raise DaysTaken(facility=facility.name, day=taken.date.isoformat())
    if plan.until >= facility.local_date():
        raise BadInput("The last day lies before today.", attr="until")
    place = ground(facility, visits=plan.visits, first=plan.first)
    if not place.posts:
        raise BadInput(f"{facility} has no doctors.", attr="facility")
    return place


@dataclass
class _Day:
    """A day while it is played."""

    day: date
    chance: Random
    begins: datetime
    keys: Iterator[str]
    books: Books = field(default_factory=Books)
    sessions: list[SessionFacts] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


class Past:
    """The days of a hospital, one after the other."""

    def __init__(self, plan: Plan, place: Ground) -> None:
        self._plan, self._place = plan, place
        self.loaded = Loaded()
        self.shares = shares(plan.all_days(), Random(f"{plan.seed} days"))
        self._left = 1.0
        self._asked = self._crowd_factor = 0
        self._ids = {table: Ids(table) for table in _TABLES}
        self._numbers = Numbers(place.facility.pk)
        self._crowd = Crowd(place.patients)
        self._carried = Carried()
        self._writer = Writer(place.facility.pk, place.facility.currency, ids=self._ids, numbers=self._numbers)

    def day(self, day: date) -> None:
        """Play a day and write it."""
        chance = Random(f"{self._plan.seed} {day}")
        one = _Day(day, chance, datetime.combine(day, time(6), self._place.facility.tz), self._keys(day))
        self._crowd.begin()
        self._play(one)
        self._bill(one)
        with transaction.atomic(durable=not connection.in_atomic_block):
            self._writer.write(day, one.sessions, one.books)
        self.loaded.add(one.books)

    # Tokens

    def _wanted(self, day: date) -> int:
        """How many must ask on a day, so that in the end about as many have come as were wanted."""
        share = self.shares[day]
        come = self.loaded.visits / self._asked if self._asked > 500 else _COME
        due = (self._plan.visits - self.loaded.visits) * share / max(self._left, share)
        self._left -= share
        wanted = max(1, round(due / come))
        self._asked += wanted
        return wanted

    def _play(self, one: _Day) -> None:
        wanted = self._wanted(one.day)
        slots = len(self._place.posts) * sum(count for _, count in HOURS)
        given = 0
        number = 0
        for post in self._place.posts:
            for begins, count in HOURS:
                number += 1
                upto = round(wanted * (given + count) / slots) - round(wanted * given / slots)
                given += count
                if upto:
                    session = self._session(one.day, post, begins, count, ceil(upto / count), prefix_at(number - 1))
                    self._play_session(one, session, post, upto)

    def _session(self, day: date, post: Post, begins: time, count: int, capacity: int, prefix: str) -> SessionFacts:
        start = datetime.combine(day, begins, self._place.facility.tz)
        step = timedelta(minutes=SLOT_MINUTES)
        number = next(self._ids["scheduling_session"])
        slots = [
            SlotFacts(
                next(self._ids["scheduling_slot"]), number, start + n * step, start + (n + 1) * step, capacity, "open",
                0, 0,
            )
            for n in range(count)
        ]  # fmt: skip
        return SessionFacts(
            id=number, facility_id=self._place.facility.pk, department_id=post.department_id,
            doctor_id=post.doctor_id, room_id=post.room_id, date=day, starts_at=start, ends_at=slots[-1].ends_at,
            status="open", prefix=prefix, last_number=0, calls=0, delay_minutes=0, paused_at=None, closed_at=None,
            version=1, events=0, last_event_at=None, policy=post.policy, slots=slots,
        )  # fmt: skip

    def _play_session(self, one: _Day, session: SessionFacts, post: Post, wanted: int) -> None:
        pace = SLOT_MINUTES * 0.9 / session.slots[0].capacity
        play = Play(
            session,
            list(visitors(session, wanted, pace, self._crowd, one.chance, one.begins)),
            ids=self._ids["tokens_token"],
            keys=one.keys,
            desk=self._place.clerk,
            doctor=post.user_id,
            calls_from=session.starts_at + one.chance.choice((0, 0, 2, 4, 6, 10)) * timedelta(minutes=1),
        )
        played = play.play()
        one.sessions.append(session)
        one.news += played.news
        tokens = played.tokens.values()
        one.books.take("tokens_token", (tuple(getattr(t, name) for name in TOKEN_COLUMNS) for t in tokens))
        one.books.take("tokens_event", played.events)
        one.books.take("tokens_supplyevent", played.supply_events)
        self._crowd.saw(session.doctor_id, [t.patient_id for t in tokens if t.status == Status.COMPLETED])

    def _keys(self, day: date) -> Iterator[str]:
        """Keys of slips: those of another hospital are others."""
        chance = Random(f"{self._plan.seed} {self._plan.facility} {day} keys")
        while True:
            yield f"{chance.getrandbits(96):024x}"

    # Money

    def _bill(self, one: _Day) -> None:
        desk = Desk(
            one.day,
            one.books,
            self._tills(one),
            facility_id=self._place.facility.pk,
            advances=self._carried.advances,
            accounts=self._carried.accounts,
            ids=self._ids,
            numbers=self._numbers,
            chance=one.chance,
        )
        money = MoneyDay(
            one.day,
            one.books,
            terms=self._place.terms,
            carried=self._carried,
            desk=desk,
            ids=self._ids,
            numbers=self._numbers,
            doctors={session.id: session.doctor_id for session in one.sessions},
            starts={slot.id: slot.starts_at for session in one.sessions for slot in session.slots},
            clerk=self._place.clerk,
            chance=one.chance,
        )
        money.play(one.news)
        desk.count()

    def _tills(self, one: _Day) -> list[Till]:
        at = [[datetime.combine(one.day, each, self._place.facility.tz) for each in hours] for hours in SHIFTS]
        one.books.tills = [
            Till(next(self._ids["billing_shift"]), cashier, drawer, number, one.day, opens, closes, FLOAT, FLOAT)
            for number, ((cashier, drawer), (opens, closes)) in enumerate(
                zip(self._place.tills, at, strict=True), start=1
            )
        ]
        return one.books.tills
