"""What a step of a row costs, and that what it answers is what stands in the database."""

import re
import uuid

import pytest

from reception.tests.factories import Hall, text
from reception.tests.test_desk_page import full_hall
from tokens.models import Token

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def press(client, token, verb, **sent):
    sent = {"idempotency_key": uuid.uuid4().hex, **sent}
    return client.post(f"/desk/tokens/{token.pk}/{verb}/", sent, headers=HTMX)


def bar(html: str) -> str:
    """The bar of actions, without what is new in every answer."""
    inside = html[html.index('id="actionbar"') :]
    inside = inside[: inside.index("</details>")]
    return re.sub(r'value="[^"]*"| hx-swap-oob="true"', "", inside)


def test_arriving_in_a_full_hall_reads_no_more_than_its_token(django_assert_max_num_queries):
    hall = full_hall()
    asha = hall.asha
    first, second = Token.objects.filter(session=hall.session)[:2]
    press(asha, first, "arrive")
    with django_assert_max_num_queries(10):  # two of them are a savepoint, for the test has the transaction already
        assert press(asha, second, "arrive").status_code == 200


@pytest.mark.parametrize(
    "steps",
    [
        ("arrive",),
        ("arrive", "hold"),
        ("arrive", "call"),
        ("arrive", "call", "start"),
        ("arrive", "call", "start", "complete"),
        ("arrive", "undo"),
        ("no-show",),
        ("no-show", "undo"),
        ("mark-paid",),
        ("emergency",),
    ],
)
def test_the_bar_after_a_step_is_the_bar_that_is_read_afterwards(steps):
    hall = Hall(capacity=3)
    token, asha = hall.give("Ravi", "online", slot=0), hall.client("admin")
    hall.give("Somebody", "online", slot=0, arrived=True)
    for verb in steps:
        done = press(asha, token, verb)
        assert done.status_code == 200, text(done)
    again = asha.get(f"/desk/?token={token.pk}", headers={**HTMX, "HX-Target": "actionbar"})
    assert bar(done.content.decode()) == bar(again.content.decode())


def test_the_same_press_twice_is_answered_from_what_was_kept():
    hall = Hall()
    token, asha = hall.give("Ravi", "online", slot=1), hall.asha
    once, twice = (press(asha, token, "arrive", idempotency_key="one-press") for _ in range(2))
    assert bar(once.content.decode()) == bar(twice.content.decode())
    assert Token.objects.get(pk=token.pk).events == token.events + 1
