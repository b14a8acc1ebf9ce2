"""The console as each role sees it, what it says of the queue and of the patient, and what it costs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AccessAttempt
from common.transactions import outermost
from consultations import queries
from consultations.tests.factories import FETCHED, Surgery
from reception.tests.factories import HOUR, text
from scheduling.tests.factories import DoctorFactory
from tokens import queueing, supply
from tokens.models import Token

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class TestWhoSeesIt:
    def test_who_has_not_signed_in_is_asked_to(self, client):
        assert client.get("/console/")["Location"] == "/accounts/login/?next=/console/"

    def test_the_doctor_sees_the_session_that_runs(self):
        surgery = Surgery()
        surgery.sitting(surgery.rao, timezone.now() + 4 * HOUR)
        token = surgery.give("Ravi Shankar")
        page = surgery.open()
        assert f"Next {token.number} Ravi Shankar" in page
        assert "This is the console of" not in page

    def test_of_two_sessions_the_other_can_be_chosen(self):
        surgery = Surgery()
        evening = surgery.sitting(surgery.rao, timezone.now() + 4 * HOUR)
        assert f"/console/?session={evening.pk}" in surgery.browser.get("/console/").content.decode()
        page = surgery.browser.get(f"/console/?session={evening.pk}")
        assert page.context["session"].pk == evening.pk
        assert "Begins at" in text(page)

    def test_who_still_waits_in_the_morning_keeps_it_open_in_the_afternoon(self, monkeypatch):
        surgery = Surgery()
        surgery.give("Ravi")
        afternoon = surgery.sitting(surgery.rao, timezone.now() + 4 * HOUR)
        late = timezone.now() + 4 * HOUR
        monkeypatch.setattr(timezone, "now", lambda: late)
        assert queries.seat(surgery.doctor_user, None).session == surgery.session
        Token.objects.all().update(arrived_at=None)
        assert queries.seat(surgery.doctor_user, None).session == afternoon

    def test_a_day_without_a_session_says_when_the_next_is(self):
        surgery = Surgery()
        surgery.rao.user = None
        surgery.rao.save()
        nair = DoctorFactory(department=surgery.department, user=surgery.doctor_user, name="Dr Nair")
        assert "A session appears here when one is planned for you." in surgery.open()
        tomorrow = surgery.sitting(nair, timezone.now() + 24 * HOUR)
        assert f"{tomorrow.room.name}." in surgery.open()

    @pytest.mark.parametrize("role", ["billing-staff", "lab-technician", "pharmacist", "staff"])
    def test_who_is_no_doctor_and_opens_none_is_refused(self, role):
        response = Surgery().client(role).get("/console/")
        assert response.status_code == 403
        assert "The console belongs to a doctor" in text(response)

    @pytest.mark.parametrize(("role", "calls"), [("reception", True), ("manager", False)])
    def test_reception_and_manager_open_a_doctor_s_and_are_told_whose_it_is(self, role, calls):
        surgery = Surgery()
        ravi = surgery.give("Ravi")
        client = surgery.client(role)
        assert "Whose console? What you do there is recorded in your name." in surgery.open(by=client)
        page = surgery.open(f"/console/?session={surgery.session.pk}", client)
        assert "This is the console of Dr Rao" in page
        assert (f"Call {ravi.number} N" in page) is calls

    def test_a_doctor_whose_role_was_taken_sees_nothing(self):
        surgery = Surgery()
        surgery.doctor_user.user_roles.all().delete()
        assert surgery.browser.get("/console/").status_code == 404

    def test_a_doctor_sees_no_other_doctor_s(self):
        surgery = Surgery()
        nair = surgery.doctor("Dr Nair")
        other = surgery.sitting(nair, timezone.now() - HOUR / 2)
        assert surgery.browser.get(f"/console/?session={other.pk}").status_code == 404
        assert surgery.send("call-next", session=other).status_code == 404

    def test_a_session_of_another_hospital_is_not_found_and_the_attempt_is_recorded(self):
        here, there = Surgery(), Surgery()
        assert here.browser.get(f"/console/?session={there.session.pk}").status_code == 404
        assert here.send("call-next", session=there.session).status_code == 404
        assert here.client("reception").get(f"/console/?session={there.session.pk}").status_code == 404
        assert AccessAttempt.objects.filter(object_id=there.session.pk).count() == 3

    def test_a_token_of_another_session_is_not_found(self):
        here, there = Surgery(), Surgery()
        token = there.give("Somebody Else")
        assert here.send("call", token).status_code == 404
        assert there.kinds(token)[-1] != "called"


class TestWhatItSays:
    def test_an_empty_session(self):
        page = Surgery().open()
        assert "Nobody with you" in page
        assert "Nobody is waiting. The next patient appears here." in page
        assert "0 seen of 0." in page

    def test_those_who_are_expected_are_counted_and_cannot_be_called(self):
        surgery = Surgery()
        token = surgery.give("Ravi", "online")
        page = surgery.open()
        assert "Nobody who is here waits. 1 is expected." in page
        assert f"Not here yet 1 {token.number} Ravi Online" in page
        assert "Call A-" not in page

    def test_the_patient_in_the_room_with_number_name_age_sex_source_and_note(self):
        surgery = Surgery()
        patient = surgery.patient("Harish Bhat", sex="male", birth_year=timezone.now().year - 38)
        token = surgery.give(patient, "paid", arrived=True)
        Token.objects.filter(pk=token.pk).update(note="Cannot climb stairs")
        surgery.start(token)
        page = surgery.open()
        assert f"{token.number} Harish Bhat 38, male. {patient.number}. Paid." in page
        assert "First visit here" in page
        assert "From the desk Cannot climb stairs" in page
        assert "Complete" in page
        assert "Start S" not in page

    def test_earlier_visits_which_one_this_is_and_how_long_ago(self):
        surgery = Surgery()
        patient = surgery.patient("Harish Bhat")
        nair = surgery.doctor("Dr Nair")
        for doctor, days in ((surgery.rao, 30), (surgery.rao, 60), (nair, 9)):
            session = surgery.sitting(doctor, timezone.now() - timedelta(days=days), slots=1)
            past(session, patient, 9)
        token = surgery.give(patient)
        surgery.start(token)
        page = surgery.open()
        assert "Visit 3 with this doctor" in page
        assert "Last visit 9 days ago, Dr Nair" in page

    def test_who_was_sent_on_comes_with_the_reason(self):
        surgery = Surgery()
        nair = surgery.doctor("Dr Nair")
        other = surgery.sitting(nair, timezone.now() - HOUR / 2)
        token = surgery.give("Harish Bhat")
        surgery.start(token)
        sent = outermost(
            lambda: queueing.send_on(token_id=token.pk, doctor_id=nair.pk, reason="rash on both arms", by=None)
        ).token
        outermost(lambda: queueing.start(token_id=sent.id, by=None))
        client = surgery.client("reception")
        page = surgery.open(f"/console/?session={other.pk}", client)
        assert "Sent by Dr Rao: rash on both arms" in page
        assert "Last visit Today, Dr Rao" in page

    def test_the_usual_length_comes_from_the_doctor_s_own_consultations(self):
        surgery = Surgery()
        session = surgery.sitting(surgery.rao, timezone.now() - timedelta(days=7), slots=1)
        for minutes in (4, 7, 9, 20, 40):
            past(session, surgery.patient(f"Patient {minutes}"), minutes)
        surgery.start(surgery.give("Harish"))
        assert "your usual is 9 min" in surgery.open()

    def test_the_queue_in_call_order_with_held_out_and_not_here(self):
        surgery = Surgery()
        first, second, third, away = (surgery.give(name) for name in ("One", "Two", "Three", "Away"))
        surgery.give("Expected", "online", slot=2)
        surgery.start(away)
        surgery.press("test", away, place="X-ray")
        surgery.press("hold", first, minutes=10)
        sheet = surgery.browser.get("/console/").context["sheet"]
        assert [line.number for line in sheet.waiting] == [second.number, third.number]
        assert [(line.number, line.mark) for line in sheet.out] == [(first.number, "held"), (away.number, "away")]
        assert [line.name for line in sheet.absent] == ["Expected"]
        page = surgery.open()
        assert "Held until" in page
        assert "X-ray since" in page

    def test_an_emergency_is_next_and_it_says_why(self):
        surgery = Surgery()
        surgery.give("First Of All")
        urgent = surgery.give("Ramesh Kulkarni", "emergency", slot=2)
        page = surgery.open()
        assert f"Next Emergency {urgent.number} Ramesh Kulkarni" in page
        assert "An emergency stands before everybody." in page

    def test_the_next_one_stands_behind_somebody_who_is_not_here_and_it_says_so(self):
        surgery = Surgery()
        absent = surgery.give("Absent", "follow_up")
        here = surgery.give("Here")
        page = surgery.open()
        assert f"Next {here.number} Here" in page
        assert f"{absent.number} stands before and is not here yet." in page

    def test_an_emergency_without_a_place_stands_in_front(self):
        surgery = Surgery(capacity=1)
        for slot in (0, 1, 2):
            surgery.give(f"Urgent {slot}", "emergency", slot=slot)
        waiting = surgery.give("One Too Many", "emergency", slot=0)
        page = surgery.open()
        assert "Emergency without a place 1" in page
        assert "Give a place" in surgery.open(f"/console/?token={waiting.pk}")

    def test_late_paused_seen_and_likely_done(self):
        surgery = Surgery()
        done = surgery.give("Done")
        surgery.give("Waits")
        surgery.start(done)
        surgery.complete(done)
        outermost(lambda: supply.delay_session(session_id=surgery.session.pk, minutes=15, by=None))
        outermost(lambda: supply.pause_session(session_id=surgery.session.pk, by=None))
        page = surgery.open()
        assert "1 seen of 2." in page
        assert "likely done" in page
        assert "15 min late" in page
        assert "Paused since" in page
        assert "Go on B" in page
        assert f"{done.number} completed at" in page

    def test_a_closed_session_offers_no_step(self):
        surgery = Surgery()
        outermost(lambda: supply.close_session(session_id=surgery.session.pk, by=None))
        page = surgery.open(f"/console/?session={surgery.session.pk}")
        assert "The session is over" in page
        assert "Pause" not in page


class TestOneOfTheQueue:
    def test_a_call_out_of_turn_says_whom_it_passes_over(self):
        surgery = Surgery()
        first, second, third = (surgery.give(name) for name in ("One", "Two", "Three"))
        page = surgery.open(f"/console/?token={third.pk}")
        assert f"A call now passes over {first.number}, {second.number}, who stand before." in page
        assert f"Call {third.number} ↵" in page

    def test_nobody_is_passed_over_by_the_first(self):
        surgery = Surgery()
        first = surgery.give("One")
        assert "passes over" not in surgery.open(f"/console/?token={first.pk}")

    def test_scripts_get_the_panel_alone(self):
        surgery = Surgery()
        token = surgery.give("One")
        html = surgery.browser.get(f"/console/?token={token.pk}", headers=FETCHED).content.decode()
        assert html.strip().startswith('<div class="panel-place" id="console-panel">')
        assert "<html" not in html

    @pytest.mark.parametrize("query", ["?token=999999", "?token=x", "?do=test", "?do=nothing", "?session=x"])
    def test_what_cannot_be_asked_is_not(self, query):
        assert "panel-title" not in Surgery().browser.get(f"/console/{query}").content.decode()


class TestWhatItCosts:
    def test_ten_queries_with_a_patient_in_the_room_and_a_full_queue(self, django_assert_max_num_queries):
        surgery = Surgery(capacity=20)
        patient = surgery.patient("Harish")
        past(surgery.sitting(surgery.rao, timezone.now() - timedelta(days=7), slots=1), patient, 9)
        surgery.start(surgery.give(patient))
        for n in range(12):
            surgery.give(f"Patient {n}", slot=n % 3)
        with django_assert_max_num_queries(10):
            page = surgery.open()
        assert "Visit 2 with this doctor" in page
        assert "Undo:" in page

    def test_the_stream_s_frame_is_the_page_s(self, django_assert_max_num_queries):
        surgery = Surgery()
        surgery.start(surgery.give("Harish"))
        page = surgery.browser.get("/console/")
        watch = surgery.browser.get(page.context["stream"]).watch
        with django_assert_max_num_queries(7):
            frame = watch.read()
        assert set(frame.parts) == {"console-now", "console-patient", "console-foot", "console-queue"}
        assert frame.version == page.context["version"]
        assert "csrfmiddlewaretoken" not in "".join(frame.parts.values())
        assert watch.session_ids == {surgery.session.pk}

    def test_two_people_share_no_frame(self):
        surgery = Surgery()
        address = f"/console/stream/?session={surgery.session.pk}"
        own, other = (client.get(address).watch for client in (surgery.browser, surgery.client("reception")))
        assert own.key != other.key
        assert surgery.client("lab-technician").get(address).status_code == 404


def past(session, patient, minutes: float) -> Token:
    """A visit of an earlier day, written as it ended up."""
    slot = session.slots.first()
    serial = Token.objects.filter(session=session).count()
    return Token.objects.create(
        session=session,
        slot=slot,
        patient=patient,
        number=f"{session.prefix}-{serial + 1:03d}",
        status="completed",
        source="walk_in",
        score=0,
        requested_at=session.starts_at,
        order_at=session.starts_at,
        arrived_at=session.starts_at,
        started_at=session.starts_at + serial * MINUTE,
        ended_at=session.starts_at + serial * MINUTE + minutes * MINUTE,
        key=f"past-{session.pk}-{serial}",
    )
