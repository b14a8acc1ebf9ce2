"""A demo that was loaded is busy again on a later day."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from accounts.models import Facility
from billing.models import Bill, Shift
from billing.proof import prove
from reception.demo import freshen, load
from tokens.events import replay
from tokens.models import Event, Token
from tokens.simulation import checks
from tokens.states import Status

KOLKATA = ZoneInfo("Asia/Kolkata")

pytestmark = pytest.mark.django_db


def at(hour, minute=0, day=21):
    return datetime(2026, 11, day, hour, minute, tzinfo=KOLKATA)


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker):
    """The demo of the 21st, loaded once for all later days; taken back at the end."""
    around = transaction.atomic()
    around._from_testcase = True  # as that around each test: within it an outermost transaction may begin
    with django_db_blocker.unblock(), around:
        load(now=at(10, 10), patients=60, past=timedelta(days=1))
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("later", [at(9, 40, day=22), at(17, day=22), at(0, 5, day=22), at(23, 50, day=30)])
def test_on_a_later_day_it_is_busy_again_once(later, loaded):
    facility = Facility.objects.get(slug="sunrise")
    assert not freshen(now=at(18))
    assert freshen(now=later)
    tokens = Token.objects.filter(session__facility=facility)
    today = tokens.filter(session__date=later.date())
    assert today.filter(status=Status.IN_PROGRESS).count() >= 4
    assert today.filter(called_at__isnull=False, status=Status.CONFIRMED).exists()
    assert today.filter(status=Status.CONFIRMED, arrived_at=None, slot__ends_at__gt=later).exists()
    before = tokens.filter(session__date=at(0).date())
    assert set(before.values_list("status", flat=True)) == {Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED}
    assert not Event.objects.filter(at__gt=later).exists()
    assert replay()[2] == []
    assert checks.everything(facility.pk, later) == []
    assert prove(facility).balanced
    shifts = Shift.objects.filter(facility=facility).order_by("pk")
    assert [shift.closed_at is None for shift in shifts] == [False] * (len(shifts) - 1) + [True]
    assert shifts.last().date == later.date()
    assert shifts.last().payments.exists()
    assert not Bill.objects.filter(facility=facility, issued_at__gt=later).exists()

    count = Event.objects.count()
    assert not freshen(now=later + timedelta(minutes=5))
    assert Event.objects.count() == count
