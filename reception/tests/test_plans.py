"""Changes of a session and of its slots from the desk: previewed, made as previewed, taken back."""

import re
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AccessAttempt
from common.transactions import outermost
from reception.changes import CHANGES
from reception.tests.factories import Hall, text
from tokens import allocation
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

    def test_another_number_than_the_one_previewed_is_previewed_first(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        filled(hall)
        asha = hall.asha
        seen = ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3)
        answer = press(asha, hall, seen, capacity=4)
        assert "2 people move." in text(answer)
        assert not Plan.objects.exists()
        assert "now has 4 places" in text(press(asha, hall, answer))

    def test_below_those_who_cannot_lose_their_place_the_lowest_is_said_and_the_reason_stays(self):
        hall = Hall(capacity=6)
        tokens = filled(hall, slot=0, here=6)
        asha = hall.asha
        for token in tokens[:2]:
            asha.post(f"/desk/tokens/{token.pk}/call/")
        page = ask(asha, hall, "capacity", slot=hall.slots[0].pk, capacity=1, reason="ward round")
        assert "2 is the lowest possible" in text(page)
        assert 'value="ward round"' in page.content.decode()
        assert 'type="submit" data-key="Enter"' not in page.content.decode()

    def test_pressed_twice_it_is_done_once(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        filled(hall)
        asha = hall.asha
        seen = ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3)
        assert [press(asha, hall, seen).status_code for _ in range(2)] == [200, 200]
        assert Plan.objects.count() == 1

    def test_without_scripts_the_same_address_is_a_page_and_what_was_done_has_one_of_its_own(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        filled(hall)
        asha = hall.asha
        page = asha.get(address(hall), {"do": "capacity", "slot": hall.slots[1].pk, "capacity": 3, "next": "/console/"})
        assert "Move 3 people" in text(page)
        done = asha.post(address(hall), fields(page), follow=True)
        assert done.redirect_chain[0][0].startswith(f"{address(hall)}?plan={Plan.objects.get().pk}")
        assert "now has 3 places" in text(done)
        assert 'href="/console/"' in done.content.decode()

    def test_where_somebody_was_called_since_it_cannot_be_taken_back_and_the_page_says_why(self):
        hall = Hall(capacity=6, policy="ranked-next-slot")
        tokens = filled(hall)
        asha = hall.asha
        press(asha, hall, ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3))
        plan = Plan.objects.get()
        hall.arrive(tokens[1])
        page = asha.get(address(hall), {"plan": plan.pk}, headers=HTMX)
        assert "cannot be undone." in text(page)
        assert "Undo" not in text(page)
        sent = {"do": "undo", "plan": plan.pk, "idempotency_key": "u"}
        refused = asha.post(address(hall), sent, headers=HTMX)
        assert refused.status_code == 409
        assert "cannot be undone." in text(refused)

    def test_a_place_taken_in_a_later_session_makes_the_preview_stale_too(self):
        hall = Hall(capacity=1)
        tomorrow = hall.sitting(hall.rao, hall.session.starts_at + timedelta(days=1), slots=1)
        first, second = hall.give("First", "online", slot=1), hall.give("Second", "online", slot=2)
        asha = hall.asha
        seen = ask(asha, hall, "cancel", move_asked=1, move="on")
        assert "1 person moves. 1 is cancelled: no place is left." in text(seen)
        wish = {"patient_id": hall.patient("Quick").pk, "source": "online", "slot_id": tomorrow.slots.get().pk}
        outermost(partial(allocation.request_token, **wish, by=None))
        answer = press(asha, hall, seen, reason="ill")
        assert answer.status_code == 409
        assert "the session moved while you read" in text(answer)
        assert "2 are cancelled: no place is left." in text(answer)
        assert set(Token.objects.filter(pk__in=[first.pk, second.pk]).values_list("status", flat=True)) == {"confirmed"}


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


SUPPLY = {"admin", "reception", "manager"}
LATE = {*SUPPLY, "doctor"}
ROLES = ("admin", "doctor", "reception", "staff", "lab-technician", "billing-staff", "pharmacist", "manager")


class TestWhoMay:
    @pytest.mark.parametrize("role", ROLES)
    def test_every_change_against_every_role(self, role):
        hall = Hall()
        client, slot = hall.client(role), hall.slots[2].pk
        for do, change in CHANGES.items():
            allowed = role in (LATE if change.permission == "tokens.delay" else SUPPLY)
            assert ask(client, hall, do, slot=slot).status_code == (200 if allowed else 403), do
            if not allowed:
                sent = {"do": do, "slot": slot, "minutes": 10, "asked": "None.0"}
                assert client.post(address(hall), sent, headers=HTMX).status_code == 403, do
        assert SupplyEvent.objects.exists() is False

    def test_the_kiosk_sees_nothing_of_it(self):
        hall = Hall()
        assert hall.client("kiosk").get(address(hall)).status_code == 403

    def test_who_may_only_look_sees_the_slots_and_no_button(self):
        hall = Hall()
        page = text(hall.client("lab-technician").get(address(hall), headers=HTMX))
        assert "You may not change this session." in page
        assert "Close the session" not in page

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_session_of_another_hospital_is_not_found_and_the_attempt_is_recorded(self, method):
        here, there = Hall(), Hall()
        assert getattr(here.asha, method)(address(there), {"do": "pause"}).status_code == 404
        assert AccessAttempt.objects.get().object_id == there.session.pk
        there.session.refresh_from_db()
        assert there.session.paused_at is None

    @pytest.mark.parametrize(
        "query", [{"do": "explode"}, {"do": "capacity"}, {"do": "block", "slot": 9}, {"plan": "x"}, {"plan": 9}]
    )
    def test_what_is_not_there_is_not_found(self, query):
        hall = Hall()
        assert hall.asha.get(address(hall), query).status_code == 404

    def test_a_slot_of_another_session_is_none_of_this_one(self):
        hall = Hall()
        other = hall.sitting(hall.doctor("Dr Nair"), hall.session.starts_at)
        response = hall.asha.get(address(hall), {"do": "block", "slot": other.slots.first().pk})
        assert response.status_code == 404


CLOSED = {
    "delay": "This session is over.",
    "pause": "This session is over.",
    "capacity": "This slot is over.",
    "block": "This slot is over.",
    "close": "This session is over.",
    "cancel": "This session is over.",
}


class TestInEveryState:
    @pytest.mark.parametrize(("do", "sentence"), CLOSED.items())
    def test_a_closed_session_refuses_in_a_sentence(self, do, sentence):
        hall = Hall()
        asha = hall.asha
        press(asha, hall, ask(asha, hall, "close"))
        sent = {"do": do, "slot": hall.slots[2].pk, "capacity": 5, "minutes": 5, "asked": f"{5}.0"}
        answer = asha.post(address(hall), sent | {"asked": ""}, headers=HTMX)
        assert sentence in text(answer)
        assert SupplyEvent.objects.count() == 1

    def test_while_somebody_is_inside_it_is_not_closed(self):
        hall = Hall()
        token = hall.give("Ravi")
        hall.client("doctor").post(f"/desk/tokens/{token.pk}/start/")
        assert f"{token.number} is still with the doctor. Open {token.number}" in text(ask(hall.asha, hall, "close"))

    def test_a_blocked_slot_is_opened_again_and_who_waits_gets_its_places(self):
        hall = Hall()
        tokens = filled(hall, slot=2, here=0)
        asha = hall.asha
        slot = {"slot": hall.slots[2].pk}
        assert "is blocked" in text(press(asha, hall, ask(asha, hall, "block", **slot), reason="ward round"))
        page = ask(asha, hall, "unblock", **slot)
        assert "2 who wait get a place." in text(page)
        assert "Open" in text(page)
        assert "is open again" in text(press(asha, hall, page))
        assert {t.status for t in Token.objects.filter(pk__in=[t.pk for t in tokens])} == {"confirmed"}

    def test_a_session_is_not_cancelled_without_a_reason(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=2)
        asha = hall.asha
        answer = press(asha, hall, ask(asha, hall, "cancel"))
        assert (answer.status_code, Plan.objects.count()) == (400, 0)
        assert "Say why, in a few words." in text(answer)
        done = press(asha, hall, answer, reason="Doctor is ill")
        assert "session is cancelled" in text(done)
        page = text(asha.get(f"/desk/tokens/{token.pk}/"))
        assert "The session was cancelled. Doctor is ill. Reception" in page

    def test_a_closed_session_names_the_no_shows_and_those_who_move(self):
        hall = Hall()
        hall.sitting(hall.rao, hall.session.starts_at + timedelta(days=1), slots=1)
        absent, later = hall.give("Absent", "online", slot=0), hall.give("Later", "online", slot=2)
        page = text(ask(hall.asha, hall, "close", move_asked=1, move="on"))
        assert "1 person moves. 1 did not come." in page
        assert page.index("Who moves") < page.index(later.number) < page.index("Who did not come")
        assert page.index("Who did not come") < page.index(absent.number)
        assert "Close the session, move 1 person" in page

    def test_a_delay_shows_who_gets_a_place_because_a_slot_lasts_longer(self):
        hall = Hall(capacity=1)
        hall.give("First", "online", slot=2)
        page = text(ask(hall.asha, hall, "delay", minutes=20))
        assert "The estimate of 1 patient changes." in page

    def test_a_longer_slot_gives_a_place_and_says_to_whom_before_and_after(self):
        hall = Hall(capacity=1)
        early = hall.sitting(hall.doctor("Dr Nair"), timezone.now() - timedelta(minutes=90))
        slots = list(early.slots.values_list("pk", flat=True))
        before = timezone.now() - timedelta(minutes=80)
        for name, slot in (("First", 0), ("Second", 0), ("Third", 1), ("Fourth", 2)):
            wish = {"patient_id": hall.patient(name).pk, "source": "online", "slot_id": slots[slot]}
            outermost(partial(allocation.request_token, **wish, by=None, at=before))
        first, second = Token.objects.filter(session=early, slot=slots[0]).order_by("id")
        asha = hall.asha
        asha.post(f"/desk/tokens/{first.pk}/cancel/", {"reason": "went home"})
        page = asha.get(f"/desk/sessions/{early.pk}/", {"do": "delay", "minutes": 60}, headers=HTMX)
        assert f"Because slots last longer, {second.number} gets a place." in text(page)
        said = asha.post(f"/desk/sessions/{early.pk}/", {"do": "delay", "minutes": 60}, headers=HTMX)
        assert f"Dr Nair is 60 min late. Every estimate changes. {second.number} takes the place." in text(said)


class TestReads:
    """How many queries a drawer takes: sign-in and session are four, the hall's line four, the plan's names two."""

    @pytest.mark.parametrize(
        ("do", "most"), [("", 10), ("delay", 15), ("pause", 11), ("capacity", 15), ("block", 15), ("cancel", 17)]
    )
    def test_a_drawer(self, do, most, django_assert_max_num_queries):
        hall = Hall(capacity=6)
        filled(hall)
        asha = hall.asha
        with django_assert_max_num_queries(most):
            page = ask(asha, hall, do, slot=hall.slots[1].pk, capacity=3)
        assert page.status_code == 200

    def test_what_was_done(self, django_assert_max_num_queries):
        hall = Hall(capacity=6)
        filled(hall)
        asha = hall.asha
        press(asha, hall, ask(asha, hall, "capacity", slot=hall.slots[1].pk, capacity=3))
        with django_assert_max_num_queries(19):
            asha.get(address(hall), {"plan": Plan.objects.get().pk}, headers=HTMX)
