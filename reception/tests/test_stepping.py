"""Steps of a token from the desk: their effects, what is told of them, and what refuses them."""

import uuid
from functools import partial

import pytest
from django.test import Client

from accounts.models import AccessAttempt
from common.transactions import outermost
from reception.tests.factories import Hall, text
from tokens import allocation
from tokens.models import Event, Token

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def press(client: Client, token: Token, verb: str, *, key: str = "", htmx: bool = False, **sent: object):
    """Press a button of a token; without htmx the page that follows is shown."""
    data = {"idempotency_key": key or uuid.uuid4().hex, **sent}
    return client.post(f"/desk/tokens/{token.pk}/{verb}/", data, headers=HTMX if htmx else {}, follow=not htmx)


class TestSteps:
    @pytest.mark.parametrize(
        ("verb", "sent", "sentence", "event"),
        [
            ("arrive", {}, "{} has arrived.", "arrived"),
            ("cancel", {"reason": "went home"}, "{} is cancelled.", "cancelled"),
            ("no-show", {}, "{} did not come.", "no_show"),
            ("mark-paid", {}, "Priority of {} is paid.", "rescored"),
            ("emergency", {}, "{} is an emergency now.", "rescored"),
        ],
    )
    def test_an_expected_patient(self, verb, sent, sentence, event):
        hall = Hall()
        token = hall.give("Ravi", "online")
        page = text(press(hall.asha, token, verb, **sent))
        assert sentence.format(token.number) in page
        assert Event.objects.filter(token=token).latest("seq").kind == event

    @pytest.mark.parametrize(
        ("verb", "sentence", "event"),
        [
            ("call", "{} is called.", "called"),
            ("hold", "{} is held for 10 min and keeps its rank.", "held"),
            ("skip", "{} is skipped until another is called.", "skipped"),
        ],
    )
    def test_a_patient_who_is_here(self, verb, sentence, event):
        hall = Hall()
        token = hall.give("Ravi")
        assert sentence.format(token.number) in text(press(hall.asha, token, verb))
        assert Event.objects.filter(token=token).latest("seq").kind == event

    def test_a_cancelled_place_goes_to_who_waits_and_the_desk_says_to_whom(self):
        hall = Hall(capacity=1)
        first, second = hall.give("First", "online"), hall.give("Second", "online")
        asha = hall.asha
        assert f"{second.number} takes the place." in text(asha.get(f"/desk/tokens/{first.pk}/cancel/", headers=HTMX))
        page = text(press(asha, first, "cancel", reason="went home"))
        assert f"{first.number} is cancelled. {second.number} takes the place." in page

    def test_a_move_goes_to_a_free_place_and_says_when(self):
        hall = Hall()
        token = hall.give("Ravi", slot=1)
        asha = hall.asha
        assert "Slots with a free place" in text(asha.get(f"/desk/?token={token.pk}&do=move"))
        press(asha, token, "move", slot=hall.slots[2].pk)
        token.refresh_from_db()
        assert token.slot_id == hall.slots[2].pk

    def test_an_emergency_that_waits_is_overbooked_by_name(self):
        hall = Hall(capacity=1)
        for slot in (0, 1, 2):
            hall.give(f"Urgent {slot}", "emergency", slot=slot)
        waiting = hall.give("One Too Many", "emergency", slot=0)
        asha = hall.asha
        page = text(press(asha, waiting, "overbook", reason="doctor agreed"))
        assert f"{waiting.number} has a place beyond the capacity." in page
        waiting.refresh_from_db()
        assert waiting.overbooked

    def test_undo_takes_the_last_step_back(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        asha = hall.asha
        press(asha, token, "arrive")
        assert f"The last step of {token.number} is undone." in text(press(asha, token, "undo"))
        token.refresh_from_db()
        assert token.arrived_at is None

    def test_who_came_after_all_gets_a_place_again(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        asha = hall.asha
        press(asha, token, "no-show")
        page = text(press(asha, token, "late-return"))
        assert f"{token.number} came after all. It holds a place in" in page

    def test_the_doctor_starts_and_completes(self):
        hall = Hall()
        token = hall.give("Ravi")
        doctor = hall.client("doctor")
        press(doctor, token, "start")
        press(doctor, token, "complete")
        token.refresh_from_db()
        assert token.status == "completed"

    def test_htmx_gets_the_bar_and_what_is_told(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        response = press(hall.asha, token, "arrive", htmx=True)
        assert response["HX-Trigger"] == "changed"
        assert f'data-token="{token.pk}"' in response.content.decode()
        assert f"{token.number} has arrived." in text(response)

    def test_a_step_from_the_token_s_page_goes_back_there(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        path = f"/desk/tokens/{token.pk}/"
        assert press(hall.asha, token, "arrive", next=path).redirect_chain == [(path, 302)]

    def test_and_never_to_another_site(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        response = press(hall.asha, token, "arrive", next="https://elsewhere.example/")
        assert response.redirect_chain[0][0].startswith("/desk/")


class TestCallNext:
    def call(self, client: Client, hall: Hall, key: str):
        return client.post(f"/desk/sessions/{hall.session.pk}/call-next/", {"idempotency_key": key}, follow=True)

    def test_one_button_pressed_twice_calls_one_patient(self):
        hall = Hall()
        tokens = [hall.give("One"), hall.give("Two")]
        asha = hall.asha
        assert f"{tokens[0].number} is called." in text(self.call(asha, hall, "same"))
        assert f"{tokens[0].number} is called." in text(self.call(asha, hall, "same"))
        assert [bool(t.called_at) for t in Token.objects.order_by("id")] == [True, False]

    def test_two_buttons_call_two(self):
        hall = Hall()
        hall.give("One"), hall.give("Two")
        asha = hall.asha
        self.call(asha, hall, "one"), self.call(asha, hall, "two")
        assert [bool(t.called_at) for t in Token.objects.order_by("id")] == [True, True]

    def test_nobody_here_is_said(self):
        hall = Hall()
        hall.give("Expected", "online")
        assert "Nobody can be called" in text(self.call(hall.asha, hall, "one"))


class TestRefusals:
    def test_the_sentence_of_the_rule_is_told_and_the_token_stays_selected(self):
        hall = Hall(policy="considerate")
        token = hall.give("Ravi", "online", slot=2)
        response = press(hall.asha, token, "no-show")
        assert f"The slot of {token.number} has not begun: nobody is a no-show before it has." in text(response)
        assert f"token={token.pk}" in response.redirect_chain[0][0]

    def test_htmx_shows_it_among_the_messages(self):
        hall = Hall(policy="considerate")
        token = hall.give("Ravi", "online", slot=2)
        response = press(hall.asha, token, "no-show", htmx=True)
        assert (response.status_code, response["HX-Retarget"]) == (409, "#messages")

    def test_a_reason_is_asked_for(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        response = press(hall.asha, token, "cancel", reason=" ")
        assert response.status_code == 400
        assert "Say why, in a few words." in text(response)
        token.refresh_from_db()
        assert token.status == "confirmed"

    @pytest.mark.parametrize("htmx", [False, True])
    def test_a_full_slot_keeps_the_reason_that_was_typed(self, htmx):
        hall = Hall(capacity=1)
        hall.give("There First", slot=2)
        token = hall.give("Ravi", "online", slot=1)
        response = press(hall.asha, token, "move", slot=hall.slots[2].pk, reason="comes later", htmx=htmx)
        assert response.status_code == 409
        assert "No place is free there for this patient. Nothing was changed." in text(response)
        assert 'value="comes later"' in response.content.decode()

    def test_the_engine_s_own_words_are_no_reason(self):
        hall = Hall()
        response = press(hall.asha, hall.give("Ravi", "online"), "cancel", reason="no_place")
        assert "Say why in your own words." in text(response)

    @pytest.mark.parametrize("verb", ["cancel", "arrive", "call", "move", "undo", "emergency"])
    def test_who_may_not_is_refused_whatever_the_page_offered(self, verb):
        hall = Hall()
        token = hall.give("Ravi", "online")
        sent = {"reason": "x", "slot": hall.slots[2].pk}
        response = press(hall.client("lab-technician"), token, verb, htmx=True, **sent)
        assert response.status_code == 403
        assert Event.objects.filter(token=token).count() == 2

    def test_an_unknown_step_and_an_unknown_token_are_not_found(self):
        hall = Hall()
        token = hall.give("Ravi")
        assert press(hall.asha, token, "explode").status_code == 404
        assert hall.asha.post("/desk/tokens/999999/arrive/").status_code == 404

    def test_a_token_of_another_hospital_is_not_found_and_the_attempt_is_recorded(self):
        here, there = Hall(), Hall()
        token = there.give("Somebody Else", "online")
        assert press(here.asha, token, "arrive").status_code == 404
        assert AccessAttempt.objects.get().object_id == token.pk
        token.refresh_from_db()
        assert token.arrived_at is None

    def test_a_button_cannot_be_pressed_by_a_link(self):
        hall = Hall()
        assert hall.asha.get(f"/desk/tokens/{hall.give('Ravi').pk}/arrive/").status_code == 405


class TestSendingOn:
    def other(self, hall: Hall, name: str = "Dr Nair", **fields: object):
        """Another doctor who is in for one slot from now."""
        doctor = hall.doctor(name, **fields)
        return doctor, hall.sitting(doctor, hall.session.starts_at, slots=3)

    def test_only_doctors_with_a_free_place_are_shown_and_the_department_where_there_are_several(self):
        hall = Hall(capacity=1)
        self.other(hall)
        _, session = self.other(hall, "Dr Full")
        for slot in session.slots.all():
            wish = {"patient_id": hall.patient(f"In {slot.pk}").pk, "source": "walk_in", "slot_id": slot.pk}
            outermost(partial(allocation.request_token, **wish, by=None))
        token = hall.give("Ravi")
        page = text(hall.asha.get(f"/desk/tokens/{token.pk}/send-on/", headers=HTMX))
        assert "Dr Nair" in page
        assert "Dr Full" not in page
        assert "Dr Rao" not in page.partition("Where a place is free today")[2]

    def test_the_old_token_is_over_and_the_new_one_is_here_and_selected(self):
        hall = Hall()
        nair, session = self.other(hall)
        token = hall.give("Ravi", "online")
        response = press(hall.asha, token, "send-on", to=f"doctor-{nair.pk}", reason="Another specialty", htmx=True)
        new = Token.objects.get(session=session)
        assert f"{token.number} is sent on to Dr Nair, as {new.number}. It holds a place in" in text(response)
        assert f'data-token="{new.pk}"' in response.content.decode()
        token.refresh_from_db()
        assert (token.status, new.sent_from_id) == ("cancelled", token.pk)
        assert new.arrived_at is not None

    def test_without_a_choice_or_a_reason_nothing_happens_and_what_was_said_stays(self):
        hall = Hall()
        nair, _ = self.other(hall)
        token = hall.give("Ravi")
        asha = hall.asha
        nothing = press(asha, token, "send-on", reason="Second opinion", htmx=True)
        assert (nothing.status_code, nothing["HX-Retarget"]) == (400, "#drawer")
        assert "Choose where the patient goes." in text(nothing)
        assert 'value="Second opinion"' in nothing.content.decode()
        assert "Say why" in text(press(asha, token, "send-on", to=f"doctor-{nair.pk}"))
        token.refresh_from_db()
        assert token.status == "confirmed"

    def test_where_nobody_else_has_a_place_it_says_so(self):
        hall = Hall()
        page = text(hall.asha.get(f"/desk/tokens/{hall.give('Ravi').pk}/send-on/"))
        assert "No other doctor has a free place today." in page


class TestATest:
    def test_the_doctor_sends_to_a_test_and_the_patient_comes_back(self):
        hall = Hall()
        token = hall.give("Ravi")
        rao = hall.client("doctor")
        press(rao, token, "start")
        assert " to a test" in text(rao.get(f"/desk/tokens/{token.pk}/send-away/", headers=HTMX))
        page = press(rao, token, "send-away", where="X-ray", htmx=True)
        assert f"{token.number} goes to X-ray. The room is free." in text(page)
        assert f"{token.number} is back from the test." in text(press(hall.asha, token, "back"))

    def test_it_is_named(self):
        hall = Hall()
        token = hall.give("Ravi")
        rao = hall.client("doctor")
        press(rao, token, "start")
        assert "Say which test" in text(press(rao, token, "send-away", where=" "))


class TestCorrectingThePatient:
    def test_the_right_one_is_found_and_both_names_are_seen_before_anything_is_changed(self):
        hall = Hall()
        token, right = hall.give("Ravi Kumar", "online"), hall.patient("Ravi Kumaran", phone="+919845011213")
        asha = hall.asha
        found = asha.get(f"/desk/tokens/{token.pk}/correct/", {"q": "kumar", "part": "people"}, headers=HTMX)
        assert "Ravi Kumaran" in text(found)
        assert token.patient.number not in text(found)
        page = text(asha.get(f"/desk/tokens/{token.pk}/correct/", {"patient": right.pk}, headers=HTMX))
        assert page.index(token.patient.number) < page.index(right.number)
        assert Event.objects.filter(token=token).count() == 2

    def test_it_is_changed_with_a_reason_and_the_history_shows_both_numbers(self):
        hall = Hall()
        token, right = hall.give("Ravi Kumar", "online"), hall.patient("Ravi Kumaran")
        asha = hall.asha
        response = press(asha, token, "correct", patient=right.pk, reason="Same name")
        assert f"{token.number} belongs to Ravi Kumaran now." in text(response)
        page = text(asha.get(f"/desk/tokens/{token.pk}/"))
        assert f"{token.patient.number} before, {right.number} now" in page
        assert "Same name" in page
        numbers = text(hall.client("lab-technician").get(f"/desk/tokens/{token.pk}/"))
        assert "Belongs to another patient now." in numbers

    def test_who_holds_another_token_there_is_named_before_and_refused(self):
        hall = Hall()
        token, other = hall.give("Ravi Kumar", "online"), hall.give("Ravi Kumaran", "online")
        asha = hall.asha
        sent = {"patient": other.patient_id}
        page = text(asha.get(f"/desk/tokens/{token.pk}/correct/", sent, headers=HTMX))
        assert f"Ravi Kumaran already holds {other.number}" in page
        refused = press(asha, token, "correct", **sent, reason="Same name", htmx=True)
        assert refused.status_code == 409
        token.refresh_from_db()
        assert token.patient_id != other.patient_id

    def test_a_patient_of_another_hospital_is_not_found(self):
        hall, there = Hall(), Hall()
        token, stranger = hall.give("Ravi", "online"), there.patient("Somebody Else")
        page = hall.asha.get(f"/desk/tokens/{token.pk}/correct/", {"patient": stranger.pk}, headers=HTMX)
        assert page.status_code == 404
        assert "Somebody" not in text(page)


class TestUndoFromTheToast:
    def test_the_toast_takes_back_that_step(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        asha = hall.asha
        answer = press(asha, token, "arrive", htmx=True).content.decode()
        assert 'name="seq" value="3"' in answer
        assert "is undone" in text(press(asha, token, "undo", seq=3, htmx=True))

    def test_and_never_the_step_of_somebody_else_that_came_after(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        asha = hall.asha
        press(asha, token, "arrive")
        press(asha, token, "hold")
        refused = press(asha, token, "undo", seq=3, htmx=True)
        assert refused.status_code == 409
        assert f"{token.number} changed since." in text(refused)
        token.refresh_from_db()
        assert token.held_until is not None


ASKED_BY = {
    "cancel": {"admin", "reception", "staff"},
    "move": {"admin", "reception"},
    "overbook": {"admin", "reception", "doctor"},
    "send-on": {"admin", "reception", "doctor"},
    "send-away": {"admin", "doctor"},
    "correct": {"admin", "reception"},
}


class TestFormsOfSteps:
    @pytest.mark.parametrize(
        "role", ["admin", "doctor", "reception", "staff", "lab-technician", "billing-staff", "manager"]
    )
    def test_every_form_against_every_role(self, role):
        hall = Hall()
        token, client = hall.give("Ravi"), hall.client(role)
        for verb, roles in ASKED_BY.items():
            answer = client.get(f"/desk/tokens/{token.pk}/{verb}/", headers=HTMX)
            assert answer.status_code == (200 if role in roles else 403), verb

    @pytest.mark.parametrize(
        ("verb", "most"), [("cancel", 8), ("move", 5), ("send-on", 8), ("correct", 4), ("correct/?q=kumar", 8)]
    )
    def test_how_many_queries_a_form_takes(self, verb, most, django_assert_max_num_queries):
        hall = Hall()
        hall.sitting(hall.doctor("Dr Nair"), hall.session.starts_at)
        token, asha = hall.give("Ravi"), hall.asha
        hall.patient("Ravi Kumar")
        with django_assert_max_num_queries(most):
            answer = asha.get(f"/desk/tokens/{token.pk}/{verb}{'' if '?' in verb else '/'}", headers=HTMX)
        assert answer.status_code == 200
