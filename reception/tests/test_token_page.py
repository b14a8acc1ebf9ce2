"""The page of one token, and its slip."""

import uuid

import pytest

from accounts.models import AccessAttempt
from common.errors import Busy
from common.transactions import outermost
from reception import queries, self_service
from reception.models import SelfService, SlipPrint
from reception.tests.factories import Hall, text

pytestmark = pytest.mark.django_db


class TestTokenPage:
    def test_it_tells_the_history_in_sentences_with_who_and_when(self):
        hall = Hall(capacity=1)
        token = hall.give("Farhan Sheikh", "online")
        asha = hall.asha
        asha.post(f"/desk/tokens/{token.pk}/arrive/")
        urgent = hall.give("Urgent One", "emergency")
        page = text(asha.get(f"/desk/tokens/{token.pk}/"))
        for sentence in (
            "Asked for a place. For Dr Rao, online. By the clinic",
            "Got a place. In ",
            "Arrived. Reception",
            f"Gave up the place. {urgent.number} took it, waits in ",
        ):
            assert sentence in page

    def test_it_shows_the_place_in_the_order_of_the_slot(self):
        hall = Hall(capacity=2)
        first, second = hall.give("First"), hall.give("Second")
        page = text(hall.asha.get(f"/desk/tokens/{second.pk}/"))
        assert "1 person is ahead" in page
        assert page.index(f" 1 {first.number} First") < page.index(f" 2 {second.number} Second")

    @pytest.mark.parametrize("typed", ["number", "short"])
    def test_it_explains_why_one_stands_before_another(self, typed):
        hall = Hall(capacity=2)
        walk_in, paid = hall.give("Walks In"), hall.give("Has Paid", "paid")
        than = paid.number if typed == "number" else paid.number.rpartition("-")[2].lstrip("0")
        page = text(hall.asha.get(f"/desk/tokens/{walk_in.pk}/", {"than": than}))
        assert f"{paid.number} stands before {walk_in.number}: " in page

    def test_it_says_so_where_there_is_nobody_to_compare_with(self):
        hall = Hall()
        token = hall.give("Ravi")
        assert "There is no other token Q-9" in text(hall.asha.get(f"/desk/tokens/{token.pk}/", {"than": "q-9"}))

    def test_it_shows_the_patient_s_other_visits(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        asha = hall.asha
        asha.post(f"/desk/tokens/{token.pk}/cancel/", {"reason": "went home"})
        again = hall.give(token.patient)
        assert f'href="/desk/tokens/{token.pk}/"' in asha.get(f"/desk/tokens/{again.pk}/").content.decode()

    def test_its_buttons_are_those_that_make_sense_and_that_one_may_press(self):
        hall = Hall()
        token = hall.give("Ravi", "online")
        address = f"/desk/tokens/{token.pk}/"
        assert "Arrived A" in text(hall.asha.get(address))
        assert "Start" not in text(hall.client("staff").get(address))
        assert "Cancel" not in text(hall.client("lab-technician").get(address))

    def test_fifteen_queries_at_most(self, django_assert_max_num_queries):
        hall = Hall()
        token, asha = hall.give("Ravi"), hall.asha
        with django_assert_max_num_queries(15):
            asha.get(f"/desk/tokens/{token.pk}/")

    @pytest.mark.parametrize("what", ["", "slip/"])
    def test_of_another_hospital_it_is_not_found_and_the_attempt_is_recorded(self, what):
        here, there = Hall(), Hall()
        token = there.give("Somebody Else")
        response = here.asha.get(f"/desk/tokens/{token.pk}/{what}")
        assert response.status_code == 404
        assert "Somebody" not in text(response)
        assert AccessAttempt.objects.get().object_id == token.pk


class TestHistory:
    def test_it_follows_a_token_through_its_day(self):
        hall = Hall(capacity=1)
        token = hall.give("Farhan Sheikh", "online", slot=1)
        asha = hall.asha
        asha.post(f"/desk/tokens/{token.pk}/move/", {"slot": hall.slots[2].pk, "reason": "comes later"})
        asha.post(f"/desk/tokens/{token.pk}/arrive/")
        asha.post(f"/desk/tokens/{token.pk}/hold/")
        asha.post(f"/desk/tokens/{token.pk}/undo/")
        page = text(asha.get(f"/desk/tokens/{token.pk}/"))
        clock = hall.facility.tz
        one, two = (f"{slot.starts_at.astimezone(clock):%H:%M}" for slot in hall.slots[1:])
        for sentence in (
            f"Was moved to another slot. From {one} to {two}, comes later. Reception",
            "The last step was undone. Is held. Reception",
        ):
            assert sentence in page

    def test_what_happens_to_the_session_stands_there_too(self):
        hall = Hall()
        token = hall.give("Farhan Sheikh", "online", slot=1)
        asha = hall.asha
        asha.post(f"/desk/sessions/{hall.session.pk}/", {"do": "delay", "minutes": 20})
        page = text(asha.get(f"/desk/tokens/{token.pk}/"))
        assert "The doctor is 20 min late. Reception" in page
        later = hall.give("Came Later", "online", slot=2)
        assert "20 min late. Reception" not in text(asha.get(f"/desk/tokens/{later.pk}/"))

    def test_what_the_patient_did_is_told_as_the_patient_s(self):
        hall = Hall()
        token = hall.give("Farhan Sheikh", "online", slot=0)
        where = self_service.Where(SelfService.Via.LINK, "10.0.0.1")
        outermost(lambda: self_service.say_here(token_id=token.pk, where=where))
        assert "Arrived. By the patient, from the slip’s link" in text(hall.asha.get(f"/desk/tokens/{token.pk}/"))

    def test_the_stream_has_the_same_parts_as_the_page(self):
        hall = Hall()
        token, asha = hall.give("Farhan Sheikh", "online"), hall.asha
        page = asha.get(f"/desk/tokens/{token.pk}/").content.decode()
        stream = asha.get(f"/desk/tokens/{token.pk}/stream/")
        frame = stream.watch.read()
        assert f'data-seen="{frame.version}"' in page
        hall.arrive(token)
        assert set(stream.watch.read().unseen(frame.version)) == {
            "token-head",
            "token-place",
            "token-history",
            "token-facts",
        }
        assert "csrf" not in "".join(frame.parts.values())

    def test_the_stream_of_another_hospital_s_token_is_not_found(self):
        here, there = Hall(), Hall()
        token = there.give("Somebody Else")
        assert here.asha.get(f"/desk/tokens/{token.pk}/stream/").status_code == 404
        assert AccessAttempt.objects.get().object_id == token.pk


class TestSlip:
    def print(self, client, token, key=""):
        sent = {"idempotency_key": key or uuid.uuid4().hex}
        return text(client.post(f"/desk/tokens/{token.pk}/print/", sent, follow=True))

    def test_it_carries_number_room_doctor_time_people_ahead_and_no_name(self):
        hall = Hall()
        hall.give("Before Him")
        token = hall.give("Ravi Shankar")
        page = text(hall.asha.get(f"/desk/tokens/{token.pk}/slip/"))
        for words in (token.number, hall.session.room.name, "Dr Rao", "People ahead 1", hall.facility.name):
            assert words in page
        assert "Shankar" not in page

    def test_its_code_leads_to_the_patient_s_page(self):
        hall = Hall()
        token = hall.give("Ravi")
        page = hall.asha.get(f"/desk/tokens/{token.pk}/slip/").content.decode()
        assert f"http://testserver/t/{token.key}" in page
        assert "<path" in page

    def test_printed_again_it_is_marked_as_a_copy_with_the_same_number(self):
        hall = Hall()
        token, asha = hall.give("Ravi"), hall.asha
        assert "COPY" not in self.print(asha, token)
        copy = self.print(asha, token)
        assert "COPY, printed again" in copy
        assert token.number in copy
        assert "Slip printed again. Reception" in text(asha.get(f"/desk/tokens/{token.pk}/"))

    def test_a_double_click_prints_no_copy(self):
        hall = Hall()
        token, asha = hall.give("Ravi"), hall.asha
        self.print(asha, token, "once")
        assert "COPY" not in self.print(asha, token, "once")
        assert SlipPrint.objects.count() == 1

    def test_looking_at_it_is_no_printing(self):
        hall = Hall()
        token = hall.give("Ravi")
        assert "Not printed yet." in text(hall.asha.get(f"/desk/tokens/{token.pk}/slip/"))
        assert not SlipPrint.objects.exists()

    def test_who_waits_reads_so(self):
        hall = Hall(capacity=1)
        hall.give("First", "online")
        token = hall.give("Second", "online")
        assert "Waits for a place." in text(hall.asha.get(f"/desk/tokens/{token.pk}/slip/"))


def test_a_token_that_moved_between_two_reads_is_no_fault_of_the_page():
    hall = Hall()
    other = hall.sitting(hall.doctor("Dr Nair"), hall.session.starts_at)
    token = hall.give("Ravi")
    token.session_id = other.pk
    with pytest.raises(Busy):
        queries.line_of(token)
