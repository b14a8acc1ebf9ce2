"""Patients press at the same moment as somebody else: one of them comes first, and both read what is true."""

import pytest
from django.test import Client

from common.testing.races import race, race_of
from common.transactions import outermost
from reception import self_service
from reception.errors import AnotherDay
from reception.models import SelfService
from reception.tests.factories import HOUR, Hall
from tokens import allocation, queueing
from tokens.errors import InvalidTransition
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db(transaction=True)


def press(token: Token, what: str) -> int:
    return Client().post(f"/t/{token.key}/{what}/").status_code


def test_i_am_here_pressed_four_times_at_once_is_said_once():
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    outcomes = race_of(4, lambda _: press(token, "here"))
    assert outcomes.values == [302] * 4
    assert Event.objects.filter(token=token, kind="arrived").count() == 1
    assert SelfService.objects.count() == 1


def test_nobody_is_here_today_for_a_token_that_was_moved_to_tomorrow_meanwhile():
    hall = Hall()
    token = hall.give("Ravi", "online", slot=0)
    tomorrow = hall.sitting(hall.rao, hall.session.starts_at + 24 * HOUR)
    slot = tomorrow.slots.order_by("pk").values_list("pk", flat=True)[0]
    outermost(lambda: allocation.move_token(token_id=token.pk, slot_id=slot, reason="asked", by=hall.user("admin")))
    where = self_service.Where("link", None)
    for step in (self_service.say_here, self_service.come_in):  # what the page had read before that lets it pass
        with pytest.raises(AnotherDay):
            outermost(lambda step=step: step(token_id=token.pk, where=where))
    token.refresh_from_db()
    assert token.arrived_at is None


def start(token: Token) -> None:
    outermost(lambda: queueing.start(token_id=token.pk, by=None))


@pytest.mark.parametrize("_", range(4))
def test_the_doctor_starts_while_the_patient_cancels(_):
    hall = Hall()
    token = hall.give("Ravi", slot=0)
    outcomes = race([lambda: start(token), lambda: press(token, "cancel")])
    token.refresh_from_db()
    if token.status == "in_progress":
        assert outcomes.values[1] in (409, 302)  # refused under the lock, or seen before it
        assert not SelfService.objects.exists()
    else:
        assert token.status == "cancelled"
        assert isinstance(outcomes.errors[0], InvalidTransition)
        assert SelfService.objects.get().verb == "cancel"


def test_without_the_look_under_the_lock_a_visit_would_be_cancelled_while_it_goes_on():
    hall = Hall()
    token = hall.give("Ravi", slot=0)
    start(token)
    outermost(lambda: allocation.cancel_token(token_id=token.pk, reason="by the patient", by=None))
    token.refresh_from_db()
    assert token.status == "cancelled"


def test_a_call_and_a_cancellation_at_once_leave_no_one_called_who_cancelled():
    hall = Hall()
    token = hall.give("Ravi", slot=0)
    race([lambda: outermost(lambda: queueing.call(token_id=token.pk, by=None)), lambda: press(token, "cancel")])
    token.refresh_from_db()
    assert token.status == "cancelled"
    assert SelfService.objects.get().verb == "cancel"
