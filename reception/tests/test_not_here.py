"""Who should be here and is not: when, who, in which words, and how long."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from common.transactions import outermost
from reception import actions, to_tell
from reception.errors import NothingToTell
from reception.models import PatientTold
from reception.tests.factories import HOUR, Hall, text
from reception.tests.untold import begin, expected, promoted, sentences, untold
from scheduling.models import Session
from tokens import allocation
from tokens.models import Token

pytestmark = pytest.mark.django_db

ABSENT = PatientTold.About.ABSENT


class TestWhoIsNotHere:
    @pytest.mark.parametrize(
        ("ago", "delay", "missed"), [(9, 0, False), (11, 0, True), (39, 30, False), (41, 30, True), (-30, 0, False)]
    )
    def test_ten_minutes_after_the_slot_began_with_the_delay(self, ago, delay, missed):
        hall = Hall()
        token = expected(hall, ago)
        Session.objects.filter(pk=hall.session.pk).update(delay_minutes=delay)
        assert untold(hall) == ([(token.number, "absent")] if missed else [])

    @pytest.mark.parametrize("status", ["waitlisted", "cancelled", "no_show", "completed", "in_progress"])
    def test_only_who_holds_a_place(self, status):
        hall = Hall()
        Token.objects.filter(pk=expected(hall, 20).pk).update(status=status)
        assert untold(hall) == []

    def test_who_has_arrived_is_here(self):
        hall = Hall()
        hall.arrive(expected(hall, 20))
        assert untold(hall) == []

    @pytest.mark.parametrize(
        ("change", "over", "missed"),
        [
            ({"status": "open"}, False, True),
            ({"status": "closed"}, False, False),
            ({"status": "cancelled"}, False, False),
            ({"delay_minutes": 0}, True, False),
            ({"delay_minutes": 5}, True, True),
        ],
    )
    def test_nobody_is_missed_where_nobody_is_seen_any_more(self, change, over, missed):
        hall = Hall()
        expected(hall, 40)
        if over:
            change = {"ends_at": timezone.now() - timedelta(minutes=1), **change}
        Session.objects.filter(pk=hall.session.pk).update(**change)
        assert bool(untold(hall)) is missed

    def test_nobody_of_tomorrow_and_nobody_of_another_hospital(self):
        hall, other = Hall(), Hall()
        begin(hall, -60)
        hall.give("Later", slot=2)
        expected(other, 20)
        assert untold(hall) == []

    def test_who_got_the_place_just_now_has_as_long_to_come(self):
        hall = Hall()
        hall.give("Just given", "online", slot=0)
        assert untold(hall) == []

    def test_who_is_expected_longest_comes_first_and_after_those_whose_place_changed(self):
        hall = Hall(capacity=2)
        second, first = expected(hall, 80, slot=1), expected(hall, 80, name="Two")
        hall.give("Online", "online", slot=2)
        for name in ("One", "Another"):
            hall.give(name, "paid", slot=2)
        assert [kind for _number, kind in untold(hall)] == ["displaced", "absent", "absent"]
        assert [number for number, _kind in untold(hall)][1:] == [first.number, second.number]

    def test_who_is_told_of_a_change_is_not_missed_as_well(self):
        hall = Hall(capacity=1)
        one = promoted(hall)
        assert untold(hall) == [(one.number, "promoted")]

    def test_told_that_it_is_time_is_told_once_and_again_only_in_another_place(self):
        hall = Hall()
        token = expected(hall, 80)
        by = hall.user("reception")
        (one,) = to_tell.to_tell(hall.facility)
        actions.tell(token_id=token.pk, seq=one.seq, about=one.about, by=by)
        outermost(lambda: allocation.mark_paid(token_id=token.pk, by=None, at=timezone.now() - HOUR / 2))
        assert untold(hall) == []
        wish = {"token_id": token.pk, "slot_id": hall.slots[1].pk, "reason": "", "by": hall.user("admin")}
        outermost(lambda: allocation.move_token(**wish, at=timezone.now() - HOUR / 4))
        assert untold(hall) == [(token.number, "absent")]

    @pytest.mark.parametrize(("before", "missed"), [(30, True), (-5, False)])
    def test_a_change_told_when_it_was_time_is_enough_and_earlier_is_not(self, before, missed):
        hall = Hall(capacity=1)
        one = promoted(hall)
        told = actions.tell(token_id=one.token_id, seq=one.seq, by=hall.user("reception"))
        said_at = timezone.now() - timedelta(minutes=20 + before)
        PatientTold.objects.filter(pk=told.pk).update(at=said_at)
        assert untold(hall) == ([(one.number, "absent")] if missed else [])
        if missed:
            assert actions.tell(token_id=one.token_id, seq=one.seq, about=ABSENT, by=told.by) != told
            assert untold(hall) == []

    def test_the_token_s_page_keeps_that_it_was_said(self):
        hall = Hall()
        token = expected(hall, 20)
        (one,) = to_tell.to_tell(hall.facility)
        actions.tell(token_id=token.pk, seq=one.seq, about=one.about, by=hall.user("reception"))
        page = text(hall.client("reception").get(f"/desk/tokens/{token.pk}/"))
        assert "The patient, who was not here, was told that it is time." in page

    def test_arrived_meanwhile_is_not_told(self):
        hall = Hall()
        token = expected(hall, 20)
        (one,) = to_tell.to_tell(hall.facility)
        hall.arrive(token)
        with pytest.raises(NothingToTell):
            actions.tell(token_id=token.pk, seq=one.seq, about=one.about, by=hall.user("reception"))

    @pytest.mark.parametrize(
        ("delay", "said"),
        [
            (0, "Expected at {at} with Dr Rao, {room}. Patients are seen until {until}."),
            (5, "Expected at {at} with Dr Rao, {room}, who is 5 min late. Seen until {until}."),
        ],
    )
    def test_what_to_say(self, delay, said):
        hall = Hall()
        expected(hall, 20)
        Session.objects.filter(pk=hall.session.pk).update(delay_minutes=delay)
        session = Session.objects.get(pk=hall.session.pk)
        late = timedelta(minutes=delay)
        times = {"at": f"{session.starts_at + late:%H:%M}", "until": f"{session.ends_at + late:%H:%M}"}
        assert sentences(hall) == [said.format(room=session.room.name, **times)]


def test_who_is_not_here_is_a_group_of_its_own_and_counted_apart():
    hall = Hall(capacity=2)
    token = expected(hall, 20, phone="+919845011213")
    asha = hall.asha
    assert "1 not here T" in text(asha.get("/desk/"))
    assert "0 to be told" not in text(asha.get("/desk/"))
    hall.give("Farhan Sheikh", "online")
    for name in ("One", "Two"):
        hall.give(name, "paid")
    assert "1 to be told, 1 not here T" in text(asha.get("/overview/"))
    page = asha.get("/desk/?tell=1").content.decode()
    assert page.index("Their place is another one") < page.index("Expected, not here") < page.index("Expected at")
    assert 'href="tel:+919845011213"' in page
    (one,) = [each for each in to_tell.to_tell(hall.facility) if each.absent]
    done = asha.post(
        "/desk/tell/",
        {"who": one.value, "idempotency_key": uuid.uuid4().hex},
        headers={"HX-Request": "true", "HX-Target": "drawer"},
    )
    assert f"{token.number} was told." in text(done)
    assert "Expected, not here" not in text(done)


def test_its_stream_counts_who_is_not_here_when_the_minute_comes():
    hall = Hall()
    client = hall.asha
    expected(hall, 20)
    Session.objects.filter(pk=hall.session.pk).update(delay_minutes=15)
    watch = client.get(f"/desk/stream/?{client.get('/desk/').context['stream']}").watch
    before = watch.read()
    Session.objects.filter(pk=hall.session.pk).update(delay_minutes=10)
    found = watch.read()
    assert {"tell", "tell-list"} <= set(found.unseen(before.version))
    assert "1 not here" in found.parts["tell"]
