"""Changes of a session and of its slots from the desk: previewed, made as previewed, taken back."""

import re

import pytest
from django.test import Client

from reception.tests.factories import Hall, text
from tokens.models import Plan, SupplyEvent, Token

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "drawer"}


def address(hall: Hall) -> str:
    """Where the session is changed."""
    return f"/desk/sessions/{hall.session.pk}/"


def ask(client: Client, hall: Hall, do: str, **chosen: object):
    """The drawer of a change, with its preview."""
    return client.get(address(hall), {"do": do, **chosen}, headers=HTMX)


def fields(response) -> dict[str, str]:
    """What the form of a page would send."""
    form = response.content.decode()
    inputs = re.findall(r"<input[^>]*>", form[form.index('id="plan-form"') :])
    found = {}
    for each in inputs:
        name, value = re.search(r'name="([^"]+)"', each), re.search(r'value="([^"]*)"', each)
        if ('type="radio"' in each or 'type="checkbox"' in each) and "checked" not in each:
            continue
        if name:
            found[name[1]] = value[1] if value else "on"
    return found


def press(client: Client, hall: Hall, response, **sent: object):
    """Press the button under a preview."""
    return client.post(address(hall), {**fields(response), **sent}, headers=HTMX)


def filled(hall: Hall, slot: int = 1, *, here: int = 2) -> list[Token]:
    """A slot in which every place is taken, and so many have arrived."""
    tokens = [hall.give(f"Patient {i}", "online", slot=slot) for i in range(hall.capacity)]
    for token in tokens[-here:] if here else []:
        hall.arrive(token)
    return tokens


class TestASlotOfSixCutToThreeAfterItWasFilledTwoHaveArrived:
    def test_a_preview_names_the_three_that_move_arrived_ones_last(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        tokens = filled(hall)
        page = text(ask(hall.asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3))
        assert "Cut Dr Rao’s" in page
        assert "from 6 places to 3" in page
        assert "3 people move." in page
        assert "The 2 who are already here keep their place. Nothing has happened yet." in page
        assert [page.index(t.number) for t in reversed(tokens[1:4])] == sorted(
            page.index(t.number) for t in tokens[1:4]
        )
        assert "3 patients are to be told" in page
        assert "Move 3 people" in page
        assert not Plan.objects.exists()

    def test_it_is_made_as_previewed_in_one_transaction_and_taken_back(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        tokens = filled(hall)
        asha = hall.asha
        made = press(asha, hall, ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3), reason="ward round")
        page = text(made)
        assert made["HX-Trigger"] == "changed"
        assert "now has 3 places" in page
        assert ", exactly as previewed" in page
        moved = [t for t in Token.objects.order_by("id") if t.slot_id == hall.slots[2].pk]
        assert [t.number for t in moved] == [t.number for t in tokens[1:4]]
        assert SupplyEvent.objects.latest("id").reason == "ward round"
        plan = Plan.objects.get()
        sent = {"do": "undo", "plan": plan.pk, "idempotency_key": "u"}
        assert "everything is as it was before" in text(asha.post(address(hall), sent, headers=HTMX))
        assert set(Token.objects.values_list("slot_id", flat=True)) == {hall.slots[1].pk}
        hall.slots[1].refresh_from_db()
        assert hall.slots[1].capacity == 6

    def test_where_the_slot_moved_meanwhile_nothing_is_changed_and_the_new_preview_stands_there(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        tokens = filled(hall)
        asha = hall.asha
        seen = ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3)
        hall.arrive(tokens[3])
        answer = press(asha, hall, seen, reason="ward round")
        page = text(answer)
        assert answer.status_code == 409
        assert "Nothing was changed: the slot moved while you read" in page
        assert f"{tokens[0].number} would lose the place instead of {tokens[3].number}." in page
        assert 'value="ward round"' in answer.content.decode()
        assert not Plan.objects.exists()
        again = press(asha, hall, answer)
        assert "now has 3 places" in text(again)


class TestEveryChange:
    @pytest.mark.parametrize(
        ("do", "sentence"),
        [
            ("delay", "No place moves."),
            ("pause", "The queue stays as it is."),
            ("block", "2 lose their place and wait for another."),
            ("close", "2 are cancelled: no place is left."),
            ("cancel", "2 are cancelled: no place is left."),
        ],
    )
    def test_it_says_what_it_does_before_it_does_it(self, do, sentence):
        hall = Hall()
        filled(hall, slot=2, here=0)
        page = text(ask(hall.asha, hall, do, slot=hall.slots[2].pk, minutes=20, move_asked=1))
        assert sentence in page
        assert not SupplyEvent.objects.exists()

    def test_a_delay_is_said_and_taken_back(self):
        hall = Hall()
        asha = hall.asha
        answer = press(asha, hall, ask(asha, hall, "delay"), minutes=20)
        assert "Dr Rao is 20 min late. Every estimate changes." in text(answer)
        hall.session.refresh_from_db()
        assert hall.session.delay_minutes == 20
        asha.post(address(hall), {"do": "delay", "minutes": 0, "idempotency_key": "back"}, headers=HTMX)
        hall.session.refresh_from_db()
        assert hall.session.delay_minutes == 0

    def test_a_pause_and_going_on(self):
        hall = Hall()
        asha = hall.asha
        assert "Dr Rao pauses." in text(press(asha, hall, ask(asha, hall, "pause")))
        assert "Dr Rao goes on." in text(press(asha, hall, ask(asha, hall, "resume")))
        hall.session.refresh_from_db()
        assert hall.session.paused_at is None
