"""From a doctor's past to what is known of the doctor: pure arithmetic over `history`'s records."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from itertools import groupby, pairwise
from math import exp, log
from statistics import median
from typing import Final

from tokens.states import Source
from tokens.waits.estimate import Known, occasion_of
from tokens.waits.history import House, Outcome, Past
from tokens.waits.model import Clinic, Prior, Sitting, Visit

SHRUNK: Final = 20.0
"""How many consultations of others weigh as much as one's own (the K of n / (n + K))."""
DOUBT: Final = 40
"""How many predictions the believed spread counts as: those of a few sessions are much alike."""
LATE_AT_MOST: Final = 60.0
CHANGE_AT_MOST: Final = 10.0
SHOWS_USUALLY: Final = 0.85
SHORTEST: Final = 5
"""Estimates below so many minutes say little about a factor."""


def known(
    past: Sequence[Past],
    visits: Mapping[int, int],
    house: House,
    outcomes: Sequence[Outcome],
    zone: tzinfo,
    today: date,
) -> Known:
    """Everything that is known of a doctor."""
    change = _change(past)
    clinic = Clinic(Prior(usual_step(house, change), SHRUNK, DOUBT))
    sittings = _replay(clinic, past, visits, change, zone)
    clinic.regression.fit()
    return Known(
        clinic=clinic,
        sittings={s: sitting for s, (day, sitting) in sittings.items() if abs((day - today).days) <= 1},
        visits=visits,
        late=_late(past),
        shows=_shows(house),
        emergencies=sum(one.source == Source.EMERGENCY for one in past) / (len(past) + SHRUNK),
        correction=_correction(outcomes),
        zone=zone,
    )


def usual_step(house: House, change: float = 0.0) -> float:
    """What a step takes before the doctor's own consultations are looked at.

    The department is shrunk towards the facility, the facility towards the plan, each by its count: in a new hospital
    the plan decides.
    """
    found = house.planned or Prior().minutes
    for count, minutes in (house.facility, house.department):
        if count:
            found = (count * (minutes + change) + SHRUNK * found) / (count + SHRUNK)
    return min(120.0, max(1.0, found))


def _change(past: Sequence[Past]) -> float:
    """Minutes between the end of a visit and the start of the next one's, who was waiting by then."""
    gaps = [
        (after.started_at - before.ended_at).total_seconds() / 60
        for before, after in pairwise(past)
        if before.session_id == after.session_id and before.ended_at and _waited(before, after)
    ]
    usual = [gap for gap in gaps if 0 <= gap <= CHANGE_AT_MOST]
    return median(usual) if usual else 0.0


def _waited(before: Past, after: Past) -> bool:
    """Whether the next one was here when the visit before ended: else the minutes between are nobody's pace."""
    return before.ended_at is None or after.arrived_at is None or after.arrived_at <= before.ended_at


def _step(before: Past, after: Past, change: float) -> float:
    whole = (after.started_at - before.started_at).total_seconds() / 60
    if _waited(before, after) or before.ended_at is None:
        return max(0.0, whole)
    return max(0.0, min(whole, (before.ended_at - before.started_at).total_seconds() / 60 + change))


def _replay(
    clinic: Clinic, past: Sequence[Past], visits: Mapping[int, int], change: float, zone: tzinfo
) -> dict[int, tuple[date, Sitting]]:
    """Let the clinic live through the past again; gives each session as it stood at its end, or stands now."""
    found = {}
    seen = Counter(visits)
    seen.subtract(one.patient_id for one in past if one.ended_at is not None)
    for session_id, ones in groupby(past, key=lambda one: one.session_id):
        starts = list(ones)
        numbers = [Visit(max(0, seen[one.patient_id]) + 1) for one in starts]
        sitting = clinic.open(occasion_of(starts[0].date, starts[0].session_starts_at, zone))
        for place, one in enumerate(starts):
            step = _step(starts[place - 1], one, change) if place else None
            sitting.started(one.started_at.timestamp() / 60, numbers[place], step)
            sitting.predict(numbers[place + 1 :])
        seen.update(one.patient_id for one in starts if one.ended_at is not None)
        found[session_id] = (starts[0].date, sitting)
    return found


def _late(past: Sequence[Past]) -> float:
    """How late sessions usually begin, shrunk towards being in time."""
    first = [next(ones) for _, ones in groupby(past, key=lambda one: one.session_id)]
    late = [(one.started_at - one.session_starts_at).total_seconds() / 60 for one in first]
    if not late:
        return 0.0
    return min(LATE_AT_MOST, max(0.0, median(late))) * len(late) / (len(late) + 5)


def _shows(house: House) -> float:
    came, missed = house.shows
    return (came + SHRUNK * SHOWS_USUALLY) / (came + missed + SHRUNK)


def _correction(outcomes: Sequence[Outcome]) -> float:
    """By what factor estimates fell short, from those that were given: the median, shrunk towards none.

    Each is compared as it was before the correction of its time, so that a correction never feeds on itself.
    """
    ratios = [
        log(max(1.0, one.minutes) * one.correction / one.p50)
        for one in outcomes
        if one.p50 >= SHORTEST and one.minutes >= 0
    ]
    if not ratios:
        return 1.0
    return min(1.6, max(0.6, exp(median(ratios) * len(ratios) / (len(ratios) + 50))))
