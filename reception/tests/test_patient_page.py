"""The patient's own page: every state of a visit, what the patient may do, and what the page never says."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from common.transactions import outermost
from reception.models import SelfService
from reception.tests.factories import HOUR, Hall, text
from reception.tests.holder import asked, do, first_slot, look, page, press, unhurried
from tokens import allocation, queueing, supply, undoing
from tokens.models import Event, Token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unhurried")]
__all__ = ["unhurried"]


# What it says


class TestStates:
    def test_who_is_expected_reads_how_many_are_ahead(self):
        hall = Hall()
        hall.give("First", slot=0)
        token = hall.give("Ravi", "online", slot=0)
        said = page(token)
        assert token.number in said
        assert f"Dr Rao , {hall.session.room.name}. Today, " in said
        assert "1 person is ahead of you" in said
        assert "I am here" in said
        assert "Cancel my token" in said

    def test_who_is_here_and_first_is_next(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        said = page(token)
        assert "You are next" in said
        assert f"We know that you are here. Please stay near {hall.session.room.name}." in said
        assert "I am here" not in said

    def test_it_says_when_one_is_likely_called_as_times_of_the_clock(self):
        hall = Hall()
        hall.give("First", slot=0)
        token = hall.give("Ravi", slot=0)
        said = page(token)
        assert "Likely called 12:" in said or "Likely called 13:" in said
        assert " min" in said

    def test_who_is_called_is_sent_to_the_room(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        said = page(token)
        assert f"Please go to {hall.session.room.name} now" in said
        assert "If you need a few minutes, tell the desk: your place is kept." in said
        assert "Cancel" not in said

    def test_who_is_held_keeps_the_place_until_then(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(queueing.hold, token, minutes=10)
        assert "Your place is kept until " in page(token)

    def test_who_was_skipped_stays_near(self):
        hall = Hall()
        hall.give("Other", slot=0)
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(queueing.skip, token)
        assert "Somebody else is called first, then it is your turn again." in page(token)

    def test_who_waits_for_a_place_is_not_told_to_wait_for_the_doctor(self):
        hall = Hall(capacity=1)
        hall.give("First", "online")
        token = hall.give("Ravi", "online")
        said = page(token)
        assert "You wait for a place" in said
        assert "Likely called" not in said
        assert "I am here" in said

    def test_with_the_doctor_then_at_a_test_then_back_then_done(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.start, token)
        assert "You are with the doctor" in page(token)
        do(queueing.send_away, token, where="X-ray")
        away = page(token)
        assert f"First your test, then back to {hall.session.room.name}" in away
        assert "X-ray" not in away
        do(queueing.back, token)
        assert "You are next" in page(token)
        do(queueing.start, token)
        do(queueing.complete, token)
        assert "Your visit is over" in page(token)

    def test_sent_on_it_leads_to_the_new_number(self):
        hall = Hall()
        shah = hall.doctor("Dr Shah")
        hall.sitting(shah, timezone.now())
        token = hall.give("Ravi", slot=0)
        do(queueing.send_on, token, doctor_id=shah.pk, reason="skin")
        new = Token.objects.get(sent_from=token)
        response = look(token)
        assert f"Please go on to Dr Shah , {new.session.room.name}" in text(response)
        assert f'href="/t/{new.key}"' in response.content.decode()

    @pytest.mark.parametrize(
        ("reason", "said"),
        [("by the patient", "You have cancelled"), ("went home", "This token is cancelled")],
    )
    def test_cancelled_it_says_by_whom(self, reason, said):
        hall = Hall()
        token = hall.give("Ravi", "online")
        do(allocation.cancel_token, token, reason=reason)
        assert said in page(token)

    def test_the_doctor_does_not_come_it_says_that_this_was_not_the_patient(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        outermost(lambda: supply.cancel_session(session_id=hall.session.pk, reason="ill", move=False, by=None))
        assert "You cannot be seen at this time" in page(token)

    def test_not_found_when_called(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(allocation.mark_no_show, token)
        said = page(token)
        assert "We did not find you" in said
        assert "I am here" not in said

    def test_a_place_that_was_moved_names_the_old_time(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=1)
        facility: Any = hall.facility
        before = hall.slots[1].starts_at.astimezone(facility.tz)
        do(allocation.move_token, token, slot_id=hall.slots[2].pk, reason="asked")
        assert f"Your place was moved. It was at {before:%H:%M} ." in page(token)

    def test_moved_to_another_doctor_it_names_the_old_one_and_the_new_number(self):
        hall = Hall()
        shah = hall.doctor("Dr Shah")
        other = hall.sitting(shah, timezone.now())
        token = hall.give("Ravi", "online", slot=1)
        do(allocation.move_token, token, slot_id=first_slot(other), reason="asked")
        token.refresh_from_db()
        said = page(token)
        assert token.number in said
        assert f"It was with Dr Rao , {hall.session.room.name}, at" in said

    def test_delay_and_break_keep_the_place(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        outermost(lambda: supply.delay_session(session_id=hall.session.pk, minutes=15, by=None))
        assert "The doctor is about 15 minutes late. You keep your place." in page(token)
        outermost(lambda: supply.pause_session(session_id=hall.session.pk, by=None))
        assert "The doctor has taken a break since " in page(token)

    def test_another_day_is_an_appointment(self):
        hall = Hall()
        later = hall.sitting(hall.rao, timezone.now() + timedelta(days=1))
        token = asked(hall, later)
        said = page(token)
        assert "You have an appointment" in said
        assert "Tomorrow, " in said
        assert "I am here" not in said

    def test_a_session_that_nobody_closed_is_over_the_day_after(self):
        hall = Hall()
        old = hall.sitting(hall.doctor("Dr Shah"), timezone.now() - timedelta(hours=30), slots=2)
        token = asked(hall, old, at=old.starts_at)
        assert "The doctor’s hours are over" in page(token)
        assert press(token, "here").status_code == 409

    def test_the_undone_call_is_no_call(self):
        hall = Hall()
        token = hall.give("Ravi", slot=0)
        do(queueing.call, token)
        do(undoing.undo_last, token)
        assert "You are next" in page(token)


# What the patient does


class TestHere:
    def test_it_is_said_once_and_recorded_as_the_patient_s(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        said = text(press(token, "here", REMOTE_ADDR="10.1.2.3"))
        assert "We know that you are here." in said
        row = SelfService.objects.get()
        event = Event.objects.get(token=token, kind="arrived")
        assert (row.token, row.verb, row.via, row.address) == (token, "arrive", "link", "10.1.2.3")
        assert (event.actor, event.at) == (None, row.at)

    def test_pressed_twice_nothing_is_refused_and_nothing_is_said_twice(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        assert press(token, "here").status_code == 200
        assert press(token, "here").status_code == 200
        assert SelfService.objects.count() == 1

    def test_hours_before_the_session_it_is_too_early_and_the_page_says_from_when(self):
        hall = Hall()
        evening = hall.sitting(hall.doctor("Dr Shah"), timezone.now() + 5 * HOUR)
        token = asked(hall, evening)
        assert "on you can say here that you have arrived." in page(token)
        response = press(token, "here")
        assert response.status_code == 409
        assert "That cannot be done any more. This is how it stands now." in text(response)
        token.refresh_from_db()
        assert token.arrived_at is None

    def test_who_was_cancelled_meanwhile_reads_so(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(allocation.cancel_token, token, reason="desk")
        response = press(token, "here")
        assert response.status_code == 409
        assert "This token is cancelled" in text(response)

    def test_the_desk_s_page_says_that_it_was_the_patient(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        press(token, "here")
        assert "By the patient" in text(hall.asha.get(f"/desk/tokens/{token.pk}/"))


class TestCancel:
    def test_first_it_says_what_it_means(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        said = text(look(token, "/cancel/"))
        assert f"Cancel {token.number} ?" in said
        assert "Your place goes to the next person." in said
        token.refresh_from_db()
        assert token.status == "confirmed"

    def test_the_place_goes_to_the_next_and_the_patient_is_named_as_who_did_it(self):
        hall = Hall(capacity=1)
        token, waits = hall.give("Ravi", "online"), hall.give("Next", "online")
        assert "You have cancelled" in text(press(token, "cancel"))
        waits.refresh_from_db()
        assert waits.status == "confirmed"
        assert SelfService.objects.get().verb == "cancel"
        assert Event.objects.get(token=token, kind="cancelled").reason == "by the patient"

    def test_twice_is_once(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        assert press(token, "cancel").status_code == press(token, "cancel").status_code == 200
        assert SelfService.objects.count() == 1

    @pytest.mark.parametrize("path", ["here", "cancel"])
    def test_a_visit_that_has_begun_is_not_the_patient_s_to_change(self, path):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(queueing.start, token)
        response = press(token, path)
        assert response.status_code == (200 if path == "here" else 409)
        assert "You are with the doctor" in text(response)
        token.refresh_from_db()
        assert token.status == "in_progress"
        assert not SelfService.objects.exists()

    def test_what_cannot_be_cancelled_is_not_asked_about(self):
        hall = Hall()
        token = hall.give("Ravi", "online", slot=0)
        do(queueing.start, token)
        assert look(token, "/cancel/").status_code == 302

    def test_no_other_site_presses_it(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        for what in ("here", "cancel"):
            response = Client(enforce_csrf_checks=True).post(f"/t/{token.key}/{what}/")
            assert response.status_code == 403
            assert "Nothing was changed." in text(response)
        assert not SelfService.objects.exists()

    def test_looking_does_nothing(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        assert look(token, "/here/").status_code == 405
