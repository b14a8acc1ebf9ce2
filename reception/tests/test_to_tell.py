"""Who is to be told: it follows from the events, is said once, and is kept."""

import uuid
from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone
from django.utils.formats import date_format

from common.testing.races import race
from common.transactions import outermost
from reception import actions, to_tell
from reception.errors import NothingToTell
from reception.models import PatientTold
from reception.tests.factories import HOUR, Hall, text
from reception.tests.untold import displaced, missed, sentences, untold
from tokens import allocation, planning, queueing, supply
from tokens.live import saying
from tokens.models import Token

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "drawer"}


class TestWhoIsToBeTold:
    def test_who_got_what_was_asked_for_knows_it(self):
        hall = Hall(capacity=1)
        hall.give("Paid", "paid")
        hall.give("Waits from the start", "online")
        assert untold(hall) == []

    def test_who_was_displaced(self):
        hall = Hall(capacity=1)
        loser = hall.give("Online", "online")
        hall.give("Paid", "paid")
        assert untold(hall) == [(loser.number, "displaced")]
        assert sentences(hall)[0].startswith("The place in ")
        assert f"{loser.number} waits for the next one that comes free." in sentences(hall)[0]

    def test_who_got_a_place_that_came_free(self):
        hall = Hall(capacity=1)
        holder = hall.give("Paid", "paid")
        waiter = hall.give("Online", "online")
        outermost(lambda: allocation.cancel_token(token_id=holder.pk, reason="asked", by=None))
        assert untold(hall) == [(waiter.number, "promoted")]
        assert sentences(hall)[0].startswith("Has a place now: ")

    def test_who_was_moved_to_a_later_slot(self):
        hall = Hall(capacity=1, policy="ranked-next-slot")
        loser = hall.give("Online", "walk_in", slot=1)
        hall.give("Paid", "paid", slot=1)
        ((number, kind),) = untold(hall)
        assert (number, kind) == (Token.objects.get(pk=loser.pk).number, "displaced")
        assert sentences(hall)[0].startswith(f"Instead of {hall.slots[1].starts_at:%H:%M} it is")

    def test_who_was_cancelled_by_the_engine_and_not_by_a_person(self):
        hall = Hall(capacity=1, policy="ranked-next-slot")
        gone = hall.give("Walk-in", "walk_in", slot=2)
        asked = hall.give("Another", "walk_in", slot=1)
        hall.give("Paid", "paid", slot=2)
        outermost(lambda: allocation.cancel_token(token_id=asked.pk, reason="went home", by=None))
        assert untold(hall) == [(Token.objects.get(pk=gone.pk).number, "cancelled")]
        assert "No place is left with Dr Rao." in sentences(hall)[0]

    def test_whose_session_was_closed_moved_and_cancelled(self):
        hall = Hall(capacity=2)
        one, two = hall.give("One"), hall.give("Two", "online")
        later = hall.sitting(hall.rao, timezone.now() + timedelta(days=1), slots=1)
        later.slots.update(capacity=1)
        outermost(lambda: supply.cancel_session(session_id=hall.session.pk, reason="ill", by=None))
        found = {each.token_id: each.kind for each in to_tell.to_tell(hall.facility)}
        assert found == {one.pk: "moved", two.pk: "cancelled"}
        assert any("Dr Rao sees nobody more." in said for said in sentences(hall))

    def test_whose_slot_was_cut(self):
        hall = Hall(capacity=2)
        hall.give("Stays", "paid")
        loser = hall.give("Goes", "online")
        outermost(lambda: supply.change_capacity(slot_id=hall.slots[1].pk, capacity=1, by=None))
        assert untold(hall) == [(loser.number, "displaced")]

    def test_whom_a_person_moved_afterwards_is_not_called_again(self):
        hall = Hall(capacity=1)
        loser = hall.give("Online", "online")
        hall.give("Paid", "paid")
        outermost(
            lambda: allocation.move_token(token_id=loser.pk, slot_id=hall.slots[2].pk, reason="", by=hall.user("admin"))
        )
        assert untold(hall) == []

    def test_arriving_changes_nothing_about_it_but_says_that_they_are_here(self):
        hall = Hall(capacity=1)
        loser = hall.give("Online", "online")
        hall.give("Paid", "paid")
        hall.arrive(loser)
        (one,) = to_tell.to_tell(hall.facility)
        assert one.here

    def test_who_is_seen_needs_no_telling(self):
        hall = Hall(capacity=1)
        holder = hall.give("Paid", "paid", slot=0, arrived=True)
        waiter = hall.give("Online", "online", slot=0, arrived=True)
        outermost(lambda: allocation.cancel_token(token_id=holder.pk, reason="asked", by=None))
        outermost(lambda: queueing.call(token_id=waiter.pk, by=None))
        outermost(lambda: queueing.start(token_id=waiter.pk, by=None))
        assert untold(hall) == []

    def test_who_is_here_comes_first_then_the_soonest_slot(self):
        hall = Hall(capacity=1)
        late, soon = hall.give("Late", "online", slot=2), hall.give("Soon", "online", slot=1)
        here = hall.give("Here", "walk_in", slot=2)  # displaces Late
        for slot in (1, 2):
            hall.give(f"Paid {slot}", "paid", slot=slot)
        assert [number for number, _kind in untold(hall)] == [here.number, soon.number, late.number]

    def test_a_plan_undone_before_anybody_was_told_needs_no_telling(self):
        hall = Hall(capacity=2)
        hall.give("Stays", "paid")
        loser = hall.give("Goes", "online")
        done = outermost(lambda: supply.change_capacity(slot_id=hall.slots[1].pk, capacity=1, by=None))
        outermost(lambda: planning.undo_plan(plan_id=done.plan["id"], by=None))
        assert untold(hall) == []
        done = outermost(lambda: supply.change_capacity(slot_id=hall.slots[1].pk, capacity=1, by=None))
        ((one),) = to_tell.to_tell(hall.facility)
        actions.tell(token_id=loser.pk, seq=one.seq, by=hall.user("reception"))
        outermost(lambda: planning.undo_plan(plan_id=done.plan["id"], by=None))
        assert untold(hall) == [(loser.number, "undone")]
        assert "after all" in sentences(hall)[0]

    @pytest.mark.parametrize(("days", "names"), [(1, ["Online"]), (0, ["Online"]), (-1, [])])
    def test_today_s_and_tomorrow_s_patients_are_told_and_yesterday_s_are_not(self, days, names):
        hall = Hall(capacity=1)
        start = timezone.now() + timedelta(days=days)
        slot = hall.sitting(hall.doctor("Dr Iyer"), start).slots.first()
        for name, source in (("Online", "online"), ("Paid", "paid")):
            wish = {"patient_id": hall.patient(name).pk, "source": source, "slot_id": slot.pk}
            outermost(lambda wish=wish: allocation.request_token(**wish, by=None, at=start - HOUR))
        assert [each.name for each in to_tell.to_tell(hall.facility)] == names

    def test_nobody_of_another_hospital(self):
        hall, other = Hall(capacity=1), Hall()
        hall.give("Online", "online")
        hall.give("Paid", "paid")
        assert untold(other) == []

    def test_a_day_of_four_hundred_is_one_query(self, django_assert_num_queries):
        hall = Hall()
        with django_assert_num_queries(1):
            to_tell.to_tell(hall.facility)


def key() -> str:
    return uuid.uuid4().hex


class TestToldOnce:
    def test_two_desks_at_once_are_one_row(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        by = hall.user("reception")
        first = actions.tell(token_id=one.token_id, seq=one.seq, by=by)
        assert actions.tell(token_id=one.token_id, seq=one.seq, by=hall.user("staff")) == first
        assert PatientTold.objects.get().by == by
        assert untold(hall) == []

    def test_what_changed_meanwhile_is_not_told(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        outermost(lambda: allocation.cancel_token(token_id=one.token_id, reason="went home", by=None))
        with pytest.raises(NothingToTell):
            actions.tell(token_id=one.token_id, seq=one.seq, by=hall.user("reception"))

    def test_told_after_all_not_and_told_again_are_all_kept(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        by = hall.user("reception")
        told = actions.tell(token_id=one.token_id, seq=one.seq, by=by)
        actions.untell(told_id=told.pk, by=by)
        actions.untell(told_id=told.pk, by=by)
        assert len(untold(hall)) == 1
        actions.tell(token_id=one.token_id, seq=one.seq, by=by)
        assert PatientTold.objects.count() == 2
        page = text(hall.client("reception").get(f"/desk/tokens/{one.token_id}/"))
        assert page.count("The patient was told.") == 2
        assert page.count("The patient was not told after all.") == 1

    def test_a_further_change_is_to_be_told_again(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        actions.tell(token_id=one.token_id, seq=one.seq, by=hall.user("reception"))
        holder = Token.objects.get(patient__name="Lakshmi Narayan")
        outermost(lambda: allocation.cancel_token(token_id=holder.pk, reason="asked", by=None))
        assert untold(hall) == [(one.number, "promoted")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [lambda hall: displaced(hall), lambda hall: missed(hall)])
def test_two_desks_that_press_in_the_same_moment_tell_once(make):
    hall = Hall(capacity=1)
    one = make(hall)
    users = [hall.user(role) for role in ("reception", "staff", "admin")]
    pressed = [
        lambda user=user: outermost(lambda: actions.tell(token_id=one.token_id, seq=one.seq, about=one.about, by=user))
        for user in users
    ]
    done = race(pressed * 3)
    assert done.raised == []
    assert {told.pk for told in done.returned} == {PatientTold.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_the_other_desks_hear_of_it_though_no_token_changed():
    hall = Hall(capacity=1)
    one, by = displaced(hall), hall.user("reception")
    with psycopg.connect(**saying.parameters(), autocommit=True) as ear:
        ear.execute(f"LISTEN {saying.CHANNEL}")
        outermost(lambda: saying.announce(hall.facility.pk, [0]))
        while f"{hall.facility.pk}.0" not in heard(ear):  # what was said of the hall before is heard by then
            pass
        told = outermost(lambda: actions.tell(token_id=one.token_id, seq=one.seq, by=by))
        hint = f"{hall.facility.pk}.{hall.session.pk}"
        assert hint in heard(ear)
        outermost(lambda: actions.untell(told_id=told.pk, by=by))
        assert hint in heard(ear)


def heard(ear: psycopg.Connection) -> list[str]:
    """The next hint, and what comes with it."""
    return [each.payload for each in ear.notifies(timeout=20, stop_after=1)]


class TestThePage:
    def test_the_head_counts_and_the_drawer_says_whom_and_what(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        Token.objects.get(pk=one.token_id).patient.__class__.objects.filter(name="Farhan Sheikh").update(
            phone="+919845011213"
        )
        asha = hall.asha
        assert "1 to be told T" in text(asha.get("/desk/"))
        assert "1 to be told T" in text(asha.get("/overview/"))
        page = asha.get("/desk/?tell=1").content.decode()
        assert 'href="tel:+919845011213"' in page
        assert f'value="{one.value}"' in page
        assert "waits for the next one that comes free." in page

    def test_who_is_here_is_to_be_told_now(self):
        hall = Hall(capacity=1)
        hall.arrive(Token.objects.get(pk=displaced(hall).token_id))
        assert "Here: tell them now" in text(hall.asha.get("/desk/?tell=1"))

    @pytest.mark.parametrize("htmx", [True, False])
    def test_told_takes_the_line_away_and_undo_brings_it_back(self, htmx):
        hall = Hall(capacity=1)
        one = displaced(hall)
        asha, headers = hall.asha, HTMX if htmx else {}
        done = asha.post("/desk/tell/", {"who": one.value, "idempotency_key": key()}, headers=headers, follow=not htmx)
        page = text(done)
        assert f"{one.number} was told." in page
        assert "Everybody knows" in page
        assert f"{one.number} was not told U" in page
        told = PatientTold.objects.get()
        back = asha.post(
            "/desk/tell/undo/", {"told": told.pk, "idempotency_key": key()}, headers=headers, follow=not htmx
        )
        assert f"{one.number} is still to be told." in text(back)
        assert one.name in text(back)

    def test_the_second_desk_learns_who_told(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        hall.asha.post("/desk/tell/", {"who": one.value, "idempotency_key": key()}, headers=HTMX)
        second = hall.client("staff").post("/desk/tell/", {"who": one.value, "idempotency_key": key()}, headers=HTMX)
        assert f"{one.number} was told already, by " in text(second)

    @pytest.mark.parametrize("who", ["", "5", "a.b", "9999999.1", "9999999.1.change", "9999999.1.absent", "5.1.what"])
    def test_what_names_nobody_is_not_found(self, who):
        assert Hall().asha.post("/desk/tell/", {"who": who, "idempotency_key": key()}).status_code == 404

    def test_who_may_not_tell_sees_neither_number_nor_list(self):
        hall = Hall(capacity=1)
        one = displaced(hall)
        doctor = hall.client("doctor")
        assert 'id="tell"' not in doctor.get("/desk/").content.decode()
        assert doctor.get("/desk/?tell=1").status_code == 403
        assert doctor.post("/desk/tell/", {"who": one.value, "idempotency_key": key()}).status_code == 403

    def test_a_change_for_a_later_day_says_the_day(self):
        hall = Hall(capacity=1)
        slot = hall.sitting(hall.doctor("Dr Iyer"), timezone.now() + timedelta(days=1)).slots.first()
        for name, source in (("Online", "online"), ("Paid", "paid")):
            wish = {"patient_id": hall.patient(name).pk, "source": source, "slot_id": slot.pk}
            outermost(lambda wish=wish: allocation.request_token(**wish, by=None))
        at = timezone.localtime(slot.starts_at, hall.facility.tz)
        assert f"The place in {date_format(at, 'D j M, H:i')} with Dr Iyer is gone." in text(
            hall.asha.get("/desk/?tell=1")
        )

    def test_nobody_tells_of_another_hospital(self):
        hall, other = Hall(capacity=1), Hall()
        one = displaced(hall)
        assert other.asha.post("/desk/tell/", {"who": one.value, "idempotency_key": key()}).status_code == 404

    def test_its_stream_brings_the_number_and_the_list(self):
        hall = Hall(capacity=1)
        client = hall.asha
        watch = client.get(f"/desk/stream/?{client.get('/desk/').context['stream']}").watch
        before = watch.read()
        displaced(hall)
        assert {"tell", "tell-list"} <= set(watch.read().unseen(before.version))


def test_a_table_of_sentences():
    """Every kind of change has its words, with the time, the doctor and the number that the patient needs."""
    now = timezone.now()
    facts = {
        "token_id": 1, "seq": 3, "since": now, "number": "A-009", "arrived_at": None, "session_id": 1,
        "date": now.date(), "slot_at": now + HOUR, "slot_before": now, "doctor": "Dr Rao", "room": "Room 4",
        "name": "Farhan", "phone": "", "delay_minutes": 0, "until": now + HOUR,
    }  # fmt: skip
    clock = lambda at: "11:00" if at > now else "10:00"  # noqa: E731
    table = {
        ("displaced", "", "waitlisted"): "The place in 11:00 with Dr Rao is gone. A-009 waits for the next one",
        ("displaced", "", "confirmed"): "Instead of 10:00 it is 11:00 with Dr Rao, Room 4. The number is A-009.",
        ("moved", "", "confirmed"): "Instead of 10:00 it is 11:00 with Dr Rao, Room 4. The number is A-009.",
        ("promoted", "", "confirmed"): "Has a place now: 11:00 with Dr Rao, Room 4. The number is A-009.",
        ("undone", "closed", "confirmed"): "It is 11:00 with Dr Rao, Room 4, after all. The number is A-009.",
        ("undone", "closed", "waitlisted"): "Waits for a place in 11:00 with Dr Rao, as before.",
        ("cancelled", "no_place", "cancelled"): "No place is left with Dr Rao. A-009 is cancelled: offer another day",
        ("cancelled", "not_served", "cancelled"): "Dr Rao sees nobody more. A-009 is cancelled: offer another day",
    }
    for (kind, reason, status), said in table.items():
        found = to_tell.Untold(kind=kind, reason=reason, status=status, **facts)
        assert to_tell.sentence(found, clock).startswith(said)
