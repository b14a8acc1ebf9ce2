"""Halls in which somebody is to be told."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from common.transactions import outermost
from reception import to_tell
from reception.tests.factories import HOUR, Hall
from tokens import allocation
from tokens.models import Token


def untold(hall: Hall) -> list[tuple[str, str]]:
    """Who is to be told, and of what kind of change."""
    return [(each.number, each.kind) for each in to_tell.to_tell(hall.facility)]


def sentences(hall: Hall) -> list[str]:
    clock = "{:%H:%M}".format
    return [to_tell.sentence(each, clock) for each in to_tell.to_tell(hall.facility)]


def expected(hall: Hall, ago: int, *, name: str = "Ravi", slot: int = 0, **known: Any) -> Token:
    """A patient got a place an hour before the session began, which was so many minutes ago."""
    start = begin(hall, ago)
    patient = hall.patient(name, **known)
    wish = {"patient_id": patient.pk, "source": "online", "slot_id": hall.slots[slot].pk}
    outcome = outermost(lambda: allocation.request_token(**wish, by=None, at=start - HOUR))
    return Token.objects.get(pk=outcome.token.id)


def begin(hall: Hall, ago: int) -> datetime:
    """The session begins so many minutes ago. Once somebody holds a token, it has begun when it has."""
    start = timezone.now() - timedelta(minutes=ago)
    if not Token.objects.filter(session=hall.session).exists():
        hall.session.slots.all().delete()
        hall.session.delete()
        hall.session = hall.sitting(hall.rao, start)
        hall.slots = list(hall.session.slots.all())
    return start


def promoted(hall: Hall) -> to_tell.Untold:
    """A patient got a place an hour before the session began twenty minutes ago, and was not told."""
    start = begin(hall, 20)

    def ask(name: str, source: str) -> Token:
        wish = {"patient_id": hall.patient(name).pk, "source": source, "slot_id": hall.slots[0].pk}
        outcome = outermost(lambda: allocation.request_token(**wish, by=None, at=start - 2 * HOUR))
        return Token.objects.get(pk=outcome.token.id)

    holder, _waiter = ask("Paid", "paid"), ask("Online", "online")
    outermost(lambda: allocation.cancel_token(token_id=holder.pk, reason="asked", by=None, at=start - HOUR))
    return to_tell.to_tell(hall.facility)[0]


def displaced(hall: Hall) -> to_tell.Untold:
    """A hall in which one patient is to be told."""
    hall.give("Farhan Sheikh", "online")
    hall.give("Lakshmi Narayan", "paid")
    return to_tell.to_tell(hall.facility)[0]


def missed(hall: Hall) -> to_tell.Untold:
    """A hall in which one patient is expected and not here."""
    expected(hall, 20)
    return to_tell.to_tell(hall.facility)[0]
