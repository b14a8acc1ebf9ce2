"""Steps at the console: their effects, what is told of them, what refuses them, and the situations of real clinics."""

import pytest
from django.utils import timezone

from common.testing.races import race
from common.transactions import outermost
from consultations import actions
from consultations.tests.factories import FETCHED, Surgery
from reception.tests.factories import HOUR, text
from tokens import queueing, supply
from tokens.models import Event, SupplyEvent, Token

pytestmark = pytest.mark.django_db


class TestSteps:
    def test_call_next_start_complete(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        page = text(surgery.press("call-next"))
        assert f"{ravi.number} is called." in page
        assert "Called once, at" in page
        assert "Start S" in page
        page = text(surgery.press("start", ravi))
        assert f"The visit of {ravi.number} has begun." in page
        page = text(surgery.press("complete", ravi))
        assert f"{ravi.number} has been seen." in page
        assert surgery.kinds(ravi)[-3:] == ["called", "started", "completed"]
        assert Event.objects.filter(token=ravi).latest("seq").actor == surgery.doctor_user

    def test_one_press_completes_and_calls_the_next(self):
        surgery = Surgery()
        ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
        surgery.start(ravi)
        page = text(surgery.press("complete-next", ravi))
        assert f"{ravi.number} has been seen, 0 min. {neha.number} is called." in page
        assert surgery.kinds(ravi)[-1] == "completed"
        assert surgery.kinds(neha)[-1] == "called"

    def test_where_nobody_can_be_called_the_visit_is_over_still_and_it_says_so(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.start(ravi)
        page = text(surgery.press("complete-next", ravi))
        assert f"{ravi.number} has been seen, 0 min. Nobody can be called" in page
        assert surgery.kinds(ravi)[-1] == "completed"

    def test_where_the_call_is_refused_the_visit_is_over_still_and_it_says_why(self, monkeypatch):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.give("Neha")
        surgery.start(ravi)
        monkeypatch.setattr(queueing, "call_next", refusing)
        page = text(surgery.press("complete-next", ravi))
        assert "has been seen, 0 min. This session is over." in page
        assert surgery.kinds(ravi)[-1] == "completed"

    def test_nobody_else_is_called_where_one_is_on_the_way(self):
        surgery = Surgery()
        ravi, neha, omar = (surgery.give(name) for name in ("Ravi", "Neha", "Omar"))
        surgery.start(ravi)
        surgery.call(neha)
        surgery.press("complete-next", ravi)
        assert surgery.kinds(ravi)[-1] == "completed"
        assert "called" not in surgery.kinds(omar)

    def test_in_a_pause_the_press_completes_and_calls_nobody(self):
        surgery = Surgery()
        ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
        surgery.start(ravi)
        page = text(surgery.press("pause"))
        assert "Paused. The hall sees it." in page
        assert "Complete, call next" not in page.split("All keys")[0]
        surgery.press("complete-next", ravi)
        assert "called" not in surgery.kinds(neha)
        assert "The session goes on." in text(surgery.press("resume"))
        kinds = list(SupplyEvent.objects.filter(session=surgery.session).values_list("kind", flat=True))
        assert kinds == ["paused", "resumed"]

    @pytest.mark.parametrize(
        ("verb", "sent", "sentence", "event"),
        [
            ("recall", {}, "{} is called again.", "called"),
            ("hold", {"minutes": 5}, "{} is held until", "held"),
            ("skip", {}, "{} is skipped until another is called.", "skipped"),
            ("start", {}, "The visit of {} has begun.", "started"),
        ],
    )
    def test_one_who_was_called(self, verb, sent, sentence, event):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        page = text(surgery.press(verb, ravi, **sent))
        assert sentence.format(ravi.number) in page
        assert surgery.kinds(ravi)[-1] == event

    def test_one_out_of_turn(self):
        surgery = Surgery()
        surgery.give("First")
        neha = surgery.give("Neha")
        assert f"{neha.number} is called." in text(surgery.press("call", neha))

    def test_delay(self):
        surgery = Surgery()
        assert "How late?" in surgery.open("/console/?do=delay")
        page = text(surgery.press("delay", minutes=20))
        assert "20 min late. Desk, board and patients see it." in page
        surgery.session.refresh_from_db()
        assert surgery.session.delay_minutes == 20
        assert "On time again." in text(surgery.press("delay", minutes=0))

    def test_an_emergency_that_waits_gets_a_place_beyond_the_capacity(self):
        surgery = Surgery(capacity=1)
        for slot in (0, 1, 2):
            surgery.give(f"Urgent {slot}", "emergency", slot=slot)
        waiting = surgery.give("One Too Many", "emergency", slot=0)
        page = text(surgery.press("overbook", waiting, reason="chest pain"))
        assert f"{waiting.number} has a place beyond the capacity." in page
        waiting.refresh_from_db()
        assert waiting.overbooked_by == surgery.doctor_user


def refusing(**asked):
    raise queueing.errors.SessionOver


class TestSentOn:
    def surgery(self):
        surgery = Surgery()
        nair = surgery.doctor("Dr Nair")
        session = surgery.sitting(nair, timezone.now() - HOUR / 2)
        ravi = surgery.give("Ravi")
        surgery.start(ravi)
        return surgery, nair, session, ravi

    def test_to_a_doctor_with_a_free_place_and_a_reason(self):
        surgery, nair, session, ravi = self.surgery()
        page = surgery.open("/console/?do=send")
        assert "Dr Nair General Medicine" in page
        page = text(surgery.press("send", ravi, to=f"doctor-{nair.pk}", reason="rash"))
        new = Token.objects.get(sent_from=ravi)
        assert f"{ravi.number} goes to Dr Nair, {session.room.name}, as {new.number}," in page
        assert surgery.kinds(ravi)[-1] == "completed"
        assert Event.objects.get(token=new, seq=1).reason == "rash"

    def test_a_full_doctor_is_not_offered(self):
        surgery, _, session, _ = self.surgery()
        session.slots.all().update(capacity=0)
        assert "No other doctor of this house has a free place today." in surgery.open("/console/?do=send")

    def test_a_reason_is_asked_for_and_the_choice_is_kept(self):
        surgery, nair, _, ravi = self.surgery()
        response = surgery.press("send", ravi, to=f"doctor-{nair.pk}", reason=" ")
        assert response.status_code == 400
        assert "Say why, in a few words: the next doctor reads it." in text(response)
        assert f'value="doctor-{nair.pk}" required checked' in response.content.decode()
        assert surgery.kinds(ravi)[-1] == "started"

    def test_nobody_says_where(self):
        surgery, _, _, ravi = self.surgery()
        assert f"Say where {ravi.number} goes." in text(surgery.press("send", ravi, reason="x"))
        assert f"Say where {ravi.number} goes." in text(surgery.press("test", ravi))

    def test_it_cannot_be_taken_back_and_is_not_offered(self):
        surgery, nair, _, ravi = self.surgery()
        surgery.press("send", ravi, to=f"doctor-{nair.pk}", reason="rash")
        assert "Undo:" not in surgery.open()


class TestUndo:
    def test_it_says_what_it_takes_back_and_goes_back_step_by_step(self):
        surgery = Surgery()
        ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
        surgery.press("call", ravi)
        surgery.press("start", ravi)
        surgery.press("complete-next", ravi)
        page = surgery.browser.get("/console/")
        assert f"Undo: {neha.number} was called" in text(page)
        page = surgery.press("undo", **surgery.button("undo", page))
        assert f"Undone: {neha.number} was called." in text(page)
        assert f"Undo: {ravi.number} was completed" in text(page)
        page = surgery.press("undo", **surgery.button("undo", page))
        assert f"Undone: {ravi.number} was completed." in text(page)
        ravi.refresh_from_db()
        assert ravi.status == "in_progress"
        assert "Undo:" not in text(page)

    def test_it_takes_back_no_step_of_somebody_else(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        assert "Undo:" not in surgery.open(f"/console/?session={surgery.session.pk}", surgery.client("reception"))

    def test_where_something_happened_since_nothing_is_taken_back(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        fields = surgery.button("undo")
        outermost(lambda: queueing.hold(token_id=ravi.pk, minutes=5, by=None))
        page = text(surgery.press("undo", **fields))
        assert f"Nothing was changed: something else happened to {ravi.number} meanwhile." in page
        assert surgery.kinds(ravi)[-1] == "held"


class TestPressedTwice:
    def test_a_double_click_calls_one_patient_and_both_are_told_the_same(self):
        surgery = Surgery()
        first, second = surgery.give("One"), surgery.give("Two")
        fields = surgery.button("call-next")
        key = fields.pop("idempotency_key")
        for _ in range(2):
            assert f"{first.number} is called." in text(surgery.press("call-next", key=key, **fields))
        assert surgery.kinds(first).count("called") == 1
        assert "called" not in surgery.kinds(second)

    def test_a_second_window_that_is_out_of_date_is_told_who_was_called(self):
        surgery = Surgery()
        first, second = surgery.give("One"), surgery.give("Two")
        stale = surgery.button("call-next") | {"idempotency_key": "another-window"}
        surgery.press("call-next", key="this-window", calls=stale["calls"])
        page = text(surgery.press("call-next", key=stale.pop("idempotency_key"), **stale))
        assert f"Nothing was changed: {first.number} was called meanwhile." in page
        assert "called" not in surgery.kinds(second)

    def test_completing_twice_calls_one(self):
        surgery = Surgery()
        ravi, neha, omar = (surgery.give(name) for name in ("Ravi", "Neha", "Omar"))
        surgery.start(ravi)
        surgery.press("complete-next", ravi, key="one")
        page = text(surgery.press("complete-next", ravi, key="two"))
        assert f"{ravi.number} is completed: that cannot be done now." in page
        assert surgery.kinds(neha)[-1] == "called"
        assert "called" not in surgery.kinds(omar)

    def test_another_choice_with_the_same_button_says_what_happened(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        surgery.press("hold", ravi, key="same", minutes=5)
        page = text(surgery.press("hold", ravi, key="same", minutes=30))
        assert "Nothing was changed: this was done in another window meanwhile." in page
        assert surgery.held_for(ravi, 5)


@pytest.mark.django_db(transaction=True)
class TestCallNextInTwoWindowsAtOnce:
    def race(self, surgery, calls):
        wish = {"session_id": surgery.session.pk, "calls": calls, "by": surgery.doctor_user}
        return race([lambda: outermost(lambda: actions.call_next(**wish))] * 2)

    def called(self):
        return Token.objects.filter(called_at__isnull=False).count()

    def test_one_patient_is_called_and_the_other_window_is_told(self):
        surgery = Surgery()
        first, _ = surgery.give("One"), surgery.give("Two")
        done = self.race(surgery, 0)
        assert [str(error) for error in done.raised] == [f"Nothing was changed: {first.number} was called meanwhile."]
        assert self.called() == 1

    def test_control_without_what_the_page_knew_two_are_called(self):
        surgery = Surgery()
        surgery.give("One"), surgery.give("Two")
        done = self.race(surgery, None)
        assert done.raised == []
        assert self.called() == 2


class TestRefusals:
    @pytest.mark.parametrize("fetched", [False, True])
    def test_a_refused_step_leaves_the_page_true(self, fetched):
        surgery = Surgery()
        ravi, neha = surgery.give("Ravi"), surgery.give("Neha")
        surgery.start(ravi)
        response = surgery.send("start", neha, headers=FETCHED) if fetched else surgery.press("start", neha)
        assert response.status_code == (409 if fetched else 200)
        assert f"{ravi.number} is still with the doctor." in text(response)
        assert f"{ravi.number} Ravi" in text(response)

    def test_scripts_get_the_parts_and_the_answer(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        html = surgery.send("call-next", headers=FETCHED).content.decode()
        for part in ("now", "patient", "foot", "queue", "panel", "answer"):
            assert html.count(f'id="console-{part}"') == 1
        assert f"<p>{ravi.number} is called.</p>" in html
        assert "<html" not in html

    def test_nobody_to_call_is_said_and_may_be_asked_again_with_the_same_button(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        outermost(lambda: queueing.hold(token_id=ravi.pk, minutes=5, by=None))
        page = text(surgery.press("call-next", key="same"))
        assert "Nobody can be called: nobody who is here waits for a call." in page
        Token.objects.filter(pk=ravi.pk).update(held_until=timezone.now() - HOUR)
        assert f"{ravi.number} is called." in text(surgery.press("call-next", key="same"))

    @pytest.mark.parametrize(
        ("verb", "sent"), [("hold", {"minutes": "many"}), ("hold", {}), ("delay", {}), ("delay", {"minutes": 999})]
    )
    def test_minutes_that_are_none(self, verb, sent):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        assert "Choose the minutes." in text(surgery.press(verb, ravi if verb == "hold" else None, **sent))

    def test_an_unknown_step_a_step_without_a_token_and_a_link(self):
        surgery = Surgery()
        assert surgery.send("explode").status_code == 404
        assert surgery.send("start").status_code == 404
        assert surgery.browser.get(f"/console/{surgery.session.pk}/start/").status_code == 405

    def test_who_may_not_is_refused_whatever_the_page_offered(self):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        surgery.call(ravi)
        response = surgery.send("start", ravi, by=surgery.client("reception"), headers=FETCHED)
        assert response.status_code == 403
        assert surgery.kinds(ravi)[-1] == "called"
        assert surgery.send("pause", by=surgery.client("lab-technician")).status_code == 404


class TestCalledButInTheToilet:
    """Recall; hold keeps the place for its minutes, then the next is called; back in order on return."""

    def test_it(self):
        surgery = Surgery()
        ravi, neha, omar = (surgery.give(name) for name in ("Ravi", "Neha", "Omar"))
        surgery.press("call-next")
        assert "Called 2 times, last at" in text(surgery.press("recall", ravi))
        page = text(surgery.press("hold", ravi, minutes=5))
        assert f"{ravi.number} is held until" in page
        assert surgery.held_for(ravi, 5)
        assert f"Next {neha.number} Neha" in page
        assert f"{neha.number} is called." in text(surgery.press("call-next"))
        surgery.press("start", neha)
        Token.objects.filter(pk=ravi.pk).update(held_until=timezone.now())
        page = surgery.open()
        assert f"Next {ravi.number} Ravi" in page
        assert f"{ravi.number} is called." in text(surgery.press("complete-next", neha))
        assert "called" not in surgery.kinds(omar)


class TestTheDoctorSendsAPatientForAnXRayInMidVisit:
    """The visit stays one; on return the patient is near the front of the same queue."""

    def test_it(self):
        surgery = Surgery()
        ravi, neha, omar = (surgery.give(name) for name in ("Ravi", "Neha", "Omar"))
        surgery.start(ravi)
        assert "goes for a test" in surgery.open("/console/?do=test")
        page = text(surgery.press("test", ravi, other="X-ray"))
        assert f"{ravi.number} goes to: X-ray. Your room is free." in page
        assert f"Held or out 1 {ravi.number} Ravi X-ray since" in page
        surgery.press("call-next")
        surgery.press("start", neha)
        assert "Back from the test" in surgery.open(f"/console/?token={ravi.pk}")
        page = text(surgery.press("back", ravi))
        assert f"{ravi.number} is back and stands at the front." in page
        assert f"Next {ravi.number} Ravi" in page
        assert "Back from a test in mid-visit." in page
        assert f"{ravi.number} is called." in text(surgery.press("complete-next", neha))
        page = text(surgery.press("start", ravi))
        assert "Was at X-ray" in page or f"{ravi.number} Ravi" in page
        surgery.press("complete", ravi)
        assert surgery.kinds(ravi)[-6:] == ["started", "sent_away", "back", "called", "started", "completed"]
        assert Token.objects.filter(patient=ravi.patient).count() == 1
        assert "called" not in surgery.kinds(omar)

    def test_where_patients_were_sent_lately_is_offered_with_a_key_each(self):
        surgery = Surgery()
        for name, place in (("One", "Blood"), ("Two", "X-ray"), ("Three", "X-ray")):
            token = surgery.give(name)
            surgery.start(token)
            surgery.press("test", token, other=place)
        surgery.start(surgery.give("Four"))
        assert "X-ray 1 Blood 2" in surgery.open("/console/?do=test")


class TestAnEmergencyArrivesTheDoctorIsThirtyMinutesLateTwoPaidPatientsWait:
    """The emergency is next; the paid ones keep their order."""

    def test_the_console_says_so(self):
        surgery = Surgery()
        asha, bala = (surgery.give(name, "paid", arrived=True) for name in ("Asha", "Bala"))
        outermost(lambda: supply.delay_session(session_id=surgery.session.pk, minutes=30, by=None))
        urgent = surgery.give("Chitra", "emergency")
        sheet = surgery.browser.get("/console/").context["sheet"]
        assert sheet.next.token.number == urgent.number
        assert [line.number for line in sheet.waiting] == [urgent.number, asha.number, bala.number]
        assert "30 min late" in surgery.open()
