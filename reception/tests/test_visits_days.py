"""Which day counts: of visits, of follow-ups, of bills and their numbers, around midnight, whatever the time zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from common.transactions import outermost
from patients.models import Patient
from reception.models import Visit
from reception.tests.money import Till
from tokens import allocation, queueing
from tokens.models import Token

pytestmark = pytest.mark.django_db

ZONES = ["Asia/Kolkata", "America/Los_Angeles", "Pacific/Kiritimati"]
MONDAY = date(2026, 3, 2)
EVENING, NIGHT = timedelta(hours=23), timedelta(hours=25)
"""From the midnight before: 23:00, and 01:00 of the next day."""


class Nights(Till):
    """Dr Rao works from 22:00 to 02:00; follow-ups are free within seven days."""

    def __init__(self, zone: str) -> None:
        super().__init__(capacity=4)
        self.facility.time_zone = zone
        self.facility.save()
        vars(self.facility).pop("tz", None)  # of the zone it had

    def moment(self, day: date, after_midnight: timedelta) -> datetime:
        """So long after a day's midnight on the wall."""
        wall = datetime.combine(day, time()) + after_midnight
        return wall.replace(tzinfo=self.facility.tz).astimezone(UTC)

    def comes(self, who: Patient, day: date, after_midnight: timedelta, source: str = "walk_in", **more: Any) -> Token:
        """Somebody comes to the night that begins on that day."""
        begins = self.moment(day, timedelta(hours=22))
        session = self.rao.sessions.filter(date=day).first() or self.sitting(self.rao, begins, slots=4)
        slot = session.slots.order_by("-pk").first()
        wish = {"patient_id": who.pk, "source": source, "slot_id": slot.pk, "arrived": True, **more}
        at = self.moment(day, after_midnight)
        return Token.objects.get(pk=outermost(lambda: allocation.request_token(**wish, by=None, at=at)).token.id)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("first", [EVENING, NIGHT])
@pytest.mark.parametrize("again", [EVENING, NIGHT])
@pytest.mark.parametrize(("days", "total"), [(7, 0), (8, 600)])
def test_a_follow_up_is_free_on_the_seventh_day_and_not_on_the_eighth_whichever_side_of_midnight_they_come(
    zone: str, first: timedelta, again: timedelta, days: int, total: int
) -> None:
    nights = Nights(zone)
    ravi = nights.patient("Ravi")
    nights.comes(ravi, MONDAY, first)
    token = nights.comes(ravi, MONDAY + timedelta(days=days), again, source="follow_up")
    assert nights.live(token).total == total


def test_who_pays_the_day_before_has_as_many_free_days() -> None:
    nights = Nights("Asia/Kolkata")
    ravi = nights.patient("Ravi")
    nights.comes(ravi, MONDAY, -EVENING)
    free = nights.comes(ravi, MONDAY + timedelta(days=7), EVENING, source="follow_up")
    assert nights.live(free).total == 0


@pytest.mark.parametrize("zone", ZONES)
def test_the_visit_is_of_the_sessions_day_and_the_bill_of_the_day_on_which_it_was_written(zone: str) -> None:
    nights = Nights(zone)
    token = nights.comes(nights.patient("Ravi"), MONDAY, NIGHT)
    assert Visit.objects.get().date == MONDAY
    assert nights.live(token).date == MONDAY + timedelta(days=1)


def test_a_token_of_yesterday_is_billed_today_in_the_visit_of_yesterday() -> None:
    nights = Nights("Asia/Kolkata")
    ravi = nights.patient("Ravi")
    token = nights.comes(ravi, MONDAY, EVENING, source="online", arrived=False)
    next_morning = nights.moment(MONDAY, timedelta(hours=33))
    outermost(lambda: queueing.arrive(token_id=token.pk, by=None, at=next_morning))
    bill = nights.live(token)
    assert (bill.date, bill.issued_at) == (MONDAY + timedelta(days=1), next_morning)
    assert [visit.date for visit in nights.visits(ravi)] == [MONDAY]
    nights.pay(bill)
    nights.balanced()


@pytest.mark.parametrize("zone", ZONES)
def test_numbers_begin_anew_at_the_midnight_of_the_facilitys_new_year_while_a_session_goes_on(zone: str) -> None:
    nights = Nights(zone)
    eve = date(2025, 12, 31)
    before = nights.comes(nights.patient("Ravi"), eve, timedelta(hours=23, minutes=59))
    after = [nights.comes(nights.patient(name), eve, timedelta(hours=24)) for name in ("Sita", "Mohan")]
    numbers = [nights.live(token).number for token in (before, *after)]
    assert numbers == ["B-2025-000001", "B-2026-000001", "B-2026-000002"]
    nights.balanced()
