"""Plays the bookings of a real day in a facility of its own, accounts for every line, and checks every rule."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction

from accounts.models import Facility
from scheduling.models import Session, Slot
from tokens.simulation import checks, world
from tokens.simulation.bookings import Booking
from tokens.simulation.figures import Figures, by_source, totals
from tokens.simulation.player import Player
from tokens.simulation.script import Visitor
from tokens.states import Source, Status

OPENS, CLOSES = time(7), time(20)
MOST_SLOTS = 13
EMERGENCIES = 50
"""One in so many is an emergency."""

LATE = 25
"""One in so many of those who come is late: taken for a no-show, and back half an hour later."""

SOON = timedelta(minutes=10)
"""Who wants to be seen now asks for the first slot that lasts so long still."""

STEPS_A_COMMIT = 100
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

_SEX = {"F": "female", "M": "male"}
Clinic = tuple[str, date]


@dataclass
class Report:
    """What came of a played day.

    Attributes:
        lines: what became of each line: `confirmed`, `waitlisted`, `cancelled` (no place), `raised` (an emergency of
            a patient who held a token) or the code of the refusal.
        by_source: `lines` for each source.
        figures: what happened to the tokens, by source.
        refusals: later steps that were refused, by step and code.
        breaches: every rule that was broken.
    """

    facility: Facility
    policy: str
    places: int = 0
    actions: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    by_source: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    figures: Figures = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    breaches: list[checks.Breach] = field(default_factory=list)
    checked: int = 0


class RealDay:
    """A day, from the bookings of a file to the report.

    Args:
        supply: places as a share of the bookings of each clinic, at least one.
        seed: decides who is an emergency, who is late and how long visits take; the same seed, the same day.
        slug: of the facility to open; a free one of the day's own where none is given.
    """

    def __init__(
        self, bookings: Sequence[Booking], *, policy: str, supply: float, seed: int, slug: str | None = None
    ) -> None:
        self.bookings, self.policy, self.supply = bookings, policy, supply
        self.chance = Random(seed)
        self.zone = zone_of(bookings)
        with transaction.atomic():
            self.facility = self._open_facility(slug)
            self.sessions = self._open_sessions()
            self.visitors = self._visitors(self._enter_patients())
        self.report = Report(self.facility, policy, places=self._places)

    def play(self, done: Callable[[int], object] = lambda steps: None) -> Report:
        """Play it all, checking at each full hour of the day; several steps go into one transaction.

        Args:
            done: told how many bookings were asked for since it was told last.
        """
        player = Player(self.visitors, [session.pk for session in self.sessions], settles=True)
        asked = 0
        for moment in [*self._hours(), None]:
            more = True
            while more:
                with transaction.atomic(durable=True):
                    more = player.play(until=moment, steps=STEPS_A_COMMIT)
                now = sum(bool(v.given or v.refusal) for v in self.visitors[asked:])
                asked += now
                done(now)
            if moment:
                self.report.breaches += checks.standing(self.facility.pk, moment)
                self.report.checked += 1
        return self._finish(player)

    def _finish(self, player: Player) -> Report:
        report = self.report
        with transaction.atomic(durable=True):
            report.breaches += checks.everything(self.facility.pk, self._end)
        report.checked += 1
        report.figures = by_source([session.pk for session in self.sessions])
        report.actions = player.actions
        report.refusals = Counter({what: n for what, n in player.refusals.items() if not what.startswith("request")})
        for visitor in self.visitors:
            fate = visitor.given or visitor.refusal
            report.lines[fate] += 1
            report.by_source[visitor.source.value][fate] += 1
        report.breaches += accounts(report, len(self.bookings))
        report.breaches += [checks.Breach("no_show as the file says it", one) for one in self._out_of_character(player)]
        return report

    def _out_of_character(self, player: Player) -> Iterator[str]:
        """Who came and is a no-show all the same, or stayed away and was seen. Late ones may come too late."""
        tokens = Counter(visitor.token_id for visitor in self.visitors)
        for visitor in self.visitors:
            if visitor.token_id is None or tokens[visitor.token_id] > 1 or visitor.late is not None:
                continue
            status = player.tokens[visitor.token_id].status
            if (status == Status.NO_SHOW) if visitor.comes else (status in (Status.CONFIRMED, Status.COMPLETED)):
                yield f"{visitor.name}: {status}"

    # The supply

    def _open_facility(self, slug: str | None) -> Facility:
        day = min(booking.day for booking in self.bookings)
        base = slug or f"day-{day}"
        taken = set(Facility.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        free = next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)
        return world.open_facility(
            slug=free, name=f"Played day {day:%d %b %Y}", time_zone=self.zone, policy=world.preset(self.policy)
        )

    def _open_sessions(self) -> list[Session]:
        demand = Counter((booking.place, booking.day) for booking in self.bookings)
        plans = []
        self._places = 0
        for (place, day), count in sorted(demand.items()):
            slots = self._slots(day, max(1, round(count * self.supply)))
            self._places += sum(slot.capacity for slot in slots)
            half = len(slots) // 2
            plans += [world.SessionPlan(place[:120], day, part) for part in (slots[:half], slots[half:]) if part]
        return world.open_sessions(self.facility, plans)

    def _slots(self, day: date, places: int) -> list[world.SlotPlan]:
        """The places of a clinic, spread over the day: at most one slot an hour, the first ones a place larger."""
        opens, closes = (datetime.combine(day, at, ZoneInfo(self.zone)) for at in (OPENS, CLOSES))
        count = min(MOST_SLOTS, places)
        edges = [opens + (closes - opens) * n / count for n in range(count + 1)]
        edges = [edge.replace(second=0, microsecond=0) for edge in edges]
        share, rest = divmod(places, count)
        return [world.SlotPlan(a, b, share + (n < rest)) for n, (a, b) in enumerate(pairwise(edges))]

    # The demand

    def _enter_patients(self) -> dict[str, int]:
        known = {booking.patient: booking for booking in self.bookings}
        people = [
            world.PersonPlan(f"Patient {name}"[:150], _SEX.get(one.sex.upper(), "unknown"), one.day.year - one.age)
            for name, one in known.items()
        ]
        first = min(booking.requested_at for booking in self.bookings)
        return dict(zip(known, world.enter_patients(self.facility, people, at=first), strict=True))

    def _visitors(self, patients: dict[str, int]) -> list[Visitor]:
        clinics: dict[Clinic, list[Slot]] = defaultdict(list)
        for slot in Slot.objects.filter(session__in=self.sessions).select_related("session__doctor"):
            clinics[slot.session.doctor.name, slot.session.date].append(slot)
        return [
            self._visitor(booking, patients[booking.patient], clinics[booking.place[:120], booking.day])
            for booking in self.bookings
        ]

    def _visitor(self, booking: Booking, patient_id: int, slots: list[Slot]) -> Visitor:
        """One who asks as the line says.

        Before the day people ask for an hour of their liking; on the day half of them want to be seen now, and half
        take the first free place. Chance is drawn in the same order for every line, whatever it decides.
        """
        emergency = self.chance.randrange(EMERGENCIES) == 0
        late = self.chance.randrange(LATE) == 0
        early, length = self.chance.randrange(-5, 45), self.chance.uniform(0.9, 1.4)
        liked = self.chance.choice(slots)
        now = next((slot for slot in slots if slot.ends_at > booking.requested_at + SOON), None)
        hurried = self.chance.randrange(2) == 0
        source = Source.WALK_IN if booking.on_the_day else Source.ONLINE
        here = booking.on_the_day and not booking.no_show
        named = None if emergency else liked if source == Source.ONLINE else now if hurried else None
        room = (slots[0].ends_at - slots[0].starts_at) / slots[0].capacity
        return Visitor(
            name=f"line {booking.line}",
            patient_id=patient_id,
            source=Source.EMERGENCY if emergency else source,
            asks_at=booking.requested_at.astimezone(UTC),
            visit=min(room * length, HOUR / 2),
            slot_id=named.pk if named else None,
            doctor_id=None if named else slots[0].session.doctor_id,
            on=booking.day,
            here=here,
            comes=not booking.no_show,
            early=early * MINUTE,
            late=30 * MINUTE if late and not here and not booking.no_show else None,
        )

    def _hours(self) -> list[datetime]:
        """Each full hour of each day that is played, from the opening on."""
        zone = ZoneInfo(self.zone)
        hours = range(OPENS.hour, CLOSES.hour + 1)
        days = sorted({booking.day for booking in self.bookings})
        return [datetime.combine(day, time(hour), zone) for day in days for hour in hours]

    @property
    def _end(self) -> datetime:
        return self._hours()[-1]


def accounts(report: Report, lines: int) -> list[checks.Breach]:
    """Whether every line is accounted for: by its fate, and by the tokens in the tables."""
    found = []
    if sum(report.lines.values()) != lines or "" in report.lines:
        found.append(checks.Breach("every line is accounted for", f"{sum(report.lines.values())} of {lines}"))
    tokens = sum(report.lines[fate] for fate in ("confirmed", "waitlisted", "cancelled"))
    total = totals(report.figures)
    if total["tokens"] != tokens:
        found.append(checks.Breach("every token is a line's", f"{total['tokens']} tokens, {tokens} lines"))
    ends = sum(total[name] for name in ("seen", "holding", "waiting", "no_shows", "cancelled"))
    if ends != tokens:
        found.append(checks.Breach("every token has an end", f"{ends} of {tokens}"))
    return found


def zone_of(bookings: Sequence[Booking]) -> str:
    """A time zone with the offset that most lines are written in."""
    offsets = Counter(booking.requested_at.utcoffset() for booking in bookings)
    offset = offsets.most_common(1)[0][0] or timedelta()
    hours, rest = divmod(int(offset.total_seconds()), 3600)
    if not rest:
        return f"Etc/GMT{-hours:+d}" if hours else "UTC"  # these names count westwards
    at = bookings[0].requested_at
    fitting = (name for name in sorted(available_timezones()) if at.astimezone(ZoneInfo(name)).utcoffset() == offset)
    return next(fitting, "UTC")
