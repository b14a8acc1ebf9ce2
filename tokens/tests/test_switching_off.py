"""A doctor with tokens ahead needs a plan first: also where somebody only waits."""

import pytest

from scheduling.actions import deactivate_doctor
from scheduling.errors import HasTokens
from scheduling.models import Session
from tokens.tests.factories import Morning

pytestmark = pytest.mark.django_db


def test_a_doctor_for_whom_somebody_waits_is_not_switched_off() -> None:
    morning = Morning(capacity=1)
    asha, bala = morning.fill(0, "Asha", "Bala")
    morning.cancel(asha)
    with pytest.raises(HasTokens) as refused:
        morning.act(deactivate_doctor, doctor_id=morning.rao.pk)
    assert refused.value.data["count"] == 1
    assert morning.status(bala) == "confirmed"


def test_a_doctor_whose_last_token_is_cancelled_may_go_and_the_session_with_him() -> None:
    morning = Morning(capacity=1)
    morning.cancel(morning.give("online", "Asha"))
    morning.act(deactivate_doctor, doctor_id=morning.rao.pk)
    assert Session.objects.get(pk=morning.session.pk).status == "cancelled"
