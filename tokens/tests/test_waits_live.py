"""What is learned from a hospital's own consultations, what answers say, and what patients were told."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tokens import queries
from tokens.models import Token, WaitEstimate
from tokens.tests.factories import DAY, Morning, moment
from tokens.tests.hall import Hall
from tokens.waits import Wait, accuracy, given, log, waits
from tokens.waits.estimate import Known
from tokens.waits.knowledge import Keeper, doctor_of, keeper, learn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Each test begins with nothing known and nothing told."""
    queries.forget_zones()
    keeper.forget()
    log.forget()
    yield
    keeper.forget()
    log.forget()


def lived(morning: Morning, minutes: float, count: int = 6, *, source: str = "walk_in", begin: str = "09:00") -> None:
    """A morning of visits one after the other, each of so many minutes."""
    tokens = [morning.give(source, f"{begin} {n}") for n in range(count)]
    morning.clock(begin)
    for token in tokens:
        morning.start(token)
        morning.now += timedelta(minutes=minutes)
        morning.complete(token)


def known_after(morning: Morning, day: int = 1) -> Known:
    """What is known the next morning."""
    session, _ = queries.read_session(morning.session.pk)
    return learn(doctor_of(session), moment("08:00", day))


def step(known: Known) -> float:
    """The minutes a step takes."""
    assert known.clinic is not None
    return known.clinic.step


class TestLearning:
    def test_in_a_new_hospital_the_plan_decides(self) -> None:
        assert step(known_after(Morning(capacity=6))) == 10
        assert step(known_after(Morning(capacity=15))) == 4

    def test_the_doctors_own_consultations_count_more_the_more_there_are(self) -> None:
        few, many = Morning(capacity=20), Morning(capacity=20)
        lived(few, 9, 4)
        lived(many, 9, 20)
        assert 3 < step(known_after(few)) < step(known_after(many)) < 9

    def test_a_new_doctor_is_expected_to_be_as_fast_as_the_department(self) -> None:
        morning = Morning(capacity=20)
        lived(morning, 9, 20)
        other = morning.sitting(morning.doctor("Dr New"), "09:00", capacity=20)
        session, _ = queries.read_session(other.pk)
        assert 5 < step(learn(doctor_of(session), moment("08:00", 1))) < 9

    def test_an_empty_hall_is_nobodys_pace(self) -> None:
        busy, empty = Morning(capacity=20), Morning(capacity=20)
        lived(busy, 5, 6)
        for hour in range(9, 13):
            empty.clock(f"{hour:02}:00")
            token = empty.give("walk_in", f"at {hour}", slot=hour - 9)
            empty.start(token)
            empty.now += timedelta(minutes=5)
            empty.complete(token)
        assert step(known_after(empty)) < 5.5

    def test_how_late_a_session_usually_begins(self) -> None:
        morning = Morning(capacity=20)
        lived(morning, 5, 2, begin="09:24")
        assert known_after(morning).late == pytest.approx(24 / 6)

    def test_how_many_come_and_how_many_are_emergencies(self) -> None:
        morning = Morning(capacity=30)
        lived(morning, 2, 10, source="emergency")
        for n in range(20):
            morning.no_show(morning.give("online", f"lost {n}", slot=1))
        known = known_after(morning)
        assert known.emergencies == pytest.approx(10 / 30)
        assert known.shows == pytest.approx((10 + 0.85 * 20) / 50)

    def test_who_was_here_before_comes_again(self) -> None:
        morning = Morning(capacity=6)
        lived(morning, 5, 2)
        known = known_after(morning)
        first = Token.objects.filter(session=morning.session).order_by("id")[0]
        facts = queries.as_facts(first)
        assert known.visit(facts).number == 2
        facts.patient_id = 0
        assert known.visit(facts).number == 1

    def test_a_session_of_the_day_keeps_its_pace(self) -> None:
        morning = Morning(capacity=20)
        lived(morning, 12, 8)
        sitting = known_after(morning, 0).sittings[morning.session.pk]
        assert (sitting.order, sitting.pace > 0) == (7, True)
        assert known_after(morning, 3).sittings == {}

    def test_it_costs_five_queries_and_the_zone(self) -> None:
        morning = Morning(capacity=20)
        lived(morning, 5, 8)
        session, _ = queries.read_session(morning.session.pk)
        with CaptureQueriesContext(connection) as seen:
            learn(doctor_of(session))
        assert len(seen) == 6

    def test_what_was_told_corrects_what_will_be_told(self) -> None:
        morning = Morning(capacity=40)
        tokens = [morning.give("walk_in", f"{n}") for n in range(40)]
        for token in tokens:
            given(token, Wait(10, 20), where="page", ahead=3, at=moment("09:00"))
        log.flush()
        morning.clock("09:20")
        for token in tokens:
            morning.start(token)
            morning.complete(token)
        assert known_after(morning).correction == pytest.approx(2 ** (40 / 90))

    def test_a_correction_does_not_feed_on_itself(self) -> None:
        morning = Morning(capacity=40)
        tokens = [morning.give("walk_in", f"{n}") for n in range(40)]
        for token in tokens:
            given(token, Wait(20, 40, correction=2.0), where="page", at=moment("09:00"))
        log.flush()
        morning.clock("09:20")
        for token in tokens:
            morning.start(token)
            morning.complete(token)
        assert known_after(morning).correction == pytest.approx(2 ** (40 / 90))


class TestKeeping:
    def test_who_asks_asks_the_database_nothing(self) -> None:
        morning = Morning(capacity=6)
        morning.give("walk_in", "Asha")
        session, _ = queries.read_session(morning.session.pk)
        with CaptureQueriesContext(connection) as seen:
            waits(session, morning.now)
        assert len(seen) == 0

    def test_the_first_one_gets_the_plan_and_the_next_one_more(self) -> None:
        morning = Morning(capacity=20)
        lived(morning, 9, 15)
        ones = [morning.give("walk_in", f"again {n}", slot=3) for n in range(3)]
        session, _ = queries.read_session(morning.session.pk)
        before = waits(session, morning.now)[ones[2]]
        keeper.round()
        after = waits(session, morning.now)[ones[2]]
        assert after.p50 > before.p50
        with CaptureQueriesContext(connection) as seen:
            keeper.round()
        assert len(seen) == 0

    def test_without_a_thread_nothing_runs_beside_a_test(self) -> None:
        fresh = Keeper()
        fresh.wake()
        assert fresh._thread is None

    def test_a_doctor_of_whom_nothing_can_be_learned_keeps_nobody_else_from_it(self, monkeypatch) -> None:
        fresh, learned = Keeper(), []

        def learning(doctor: tuple[int, int, int], now: object = None) -> Known:
            if doctor[2] % 2:
                raise ValueError("a date that cannot be")
            learned.append(doctor[2])
            return Known()

        monkeypatch.setattr("tokens.waits.knowledge.learn", learning)
        for doctor in range(6):
            fresh.known((1, 1, doctor))
        fresh.round()
        assert sorted(learned) == [0, 2, 4]

    def test_what_was_given_while_the_database_is_away_is_written_when_it_is_back(self, monkeypatch) -> None:
        hall = Hall()
        token = hall.give()
        given(token["id"], Wait(5, 9, 1.0), where="page")
        with monkeypatch.context() as away:
            away.setattr(WaitEstimate.objects, "bulk_create", _away)
            with pytest.raises(OperationalError):
                log.flush()
        assert log.flush() == 1
        assert WaitEstimate.objects.filter(token=token["id"]).count() == 1


def _away(rows: object) -> None:
    raise OperationalError("the database is away")


class TestAnswers:
    def test_each_answer_says_the_same(self) -> None:
        hall = Hall(capacity=6)
        given_ones = [hall.give("walk_in") for _ in range(4)]
        last = given_ones[-1]
        key = Token.objects.get(pk=last["id"]).key
        figures = [
            (one["wait_p50_minutes"], one["wait_p90_minutes"])
            for one in (
                last,
                hall.get(f"tokens/{last['id']}/").json(),
                hall.get("tokens/").json()["results"][-1],
                hall.get(f"slots/{hall.slots[0].pk}/tokens/").json()["results"][-1],
                hall.get(f"sessions/{hall.session.pk}/queue/").json()["waiting"][-1],
                hall.get("board/").json()["tokens"][-1],
                hall.get(f"tokens/status/{key}/").json(),
            )
        ]
        assert set(figures) == {figures[0]}
        assert 20 < figures[0][0] < figures[0][1]

    def test_who_is_with_the_doctor_or_gone_waits_for_nothing(self) -> None:
        hall = Hall()
        token = hall.give("walk_in")
        started = hall.done(token, "start")
        assert (started["wait_p50_minutes"], started["wait_p90_minutes"]) == (None, None)
        assert hall.done(token, "complete")["wait_p50_minutes"] is None

    def test_a_status_that_was_looked_at_is_kept_once(self) -> None:
        hall = Hall()
        token = hall.give("walk_in")
        key = Token.objects.get(pk=token["id"]).key
        for _ in range(3):
            hall.get(f"tokens/status/{key}/")
        assert log.flush() == 1
        kept = WaitEstimate.objects.get()
        assert (kept.token_id, kept.where, kept.ahead) == (token["id"], "api", 0)


class TestTheLog:
    def test_it_is_append_only(self) -> None:
        morning = Morning()
        given(morning.give("walk_in", "Asha"), Wait(5, 9), where="slip", ahead=1)
        assert log.flush() == 1
        for sql in ("UPDATE tokens_waitestimate SET p50_minutes = 0", "DELETE FROM tokens_waitestimate"):
            with (
                pytest.raises(IntegrityError, match="append-only"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(sql)

    def test_an_administrator_sees_what_was_told(self, client: Client) -> None:
        hall = Hall()
        given(hall.give("walk_in")["id"], Wait(5, 9), where="slip", ahead=1)
        log.flush()
        client.force_login(hall.user("admin"))
        page = client.get(reverse("admin:tokens_waitestimate_changelist"))
        (shown,) = page.context["cl"].result_list
        assert shown.p90_minutes == 9
        assert client.get(reverse("admin:tokens_waitestimate_change", args=[shown.pk])).status_code == 200

    def test_no_estimate_is_not_kept(self) -> None:
        given(1, None, where="page")
        assert log.flush() == 0

    def test_giving_asks_the_database_nothing_and_writing_is_one_statement(self) -> None:
        morning = Morning(capacity=6)
        tokens = [morning.give("walk_in", f"{n}") for n in range(5)]
        with CaptureQueriesContext(connection) as seen:
            for token in tokens:
                given(token, Wait(5, 9), where="page")
        assert len(seen) == 0
        with CaptureQueriesContext(connection) as seen:
            assert log.flush() == 5
        assert len([query for query in seen if "INSERT" in query["sql"]]) == 1

    def test_what_came_of_them_by_people_ahead(self) -> None:
        morning = Morning(capacity=6)
        tokens = [morning.give("walk_in", f"{n}") for n in range(4)]
        told = ((0, Wait(2, 5)), (1, Wait(10, 15)), (2, Wait(20, 21)), (None, Wait(9, 99)))
        for token, (ahead, wait) in zip(tokens, told, strict=True):
            given(token, wait, where="page", ahead=ahead, at=moment("09:00"))
        log.flush()
        for token, clock in zip(tokens, ("09:01", "09:12", "09:30", "09:40"), strict=True):
            morning.clock(clock)
            morning.start(token)
            morning.complete(token)
        with CaptureQueriesContext(connection) as seen:
            found = accuracy(morning.facility.pk, DAY, DAY)
        assert len(seen) == 1
        none, few, *more, unknown = found
        assert (none.least, none.most, none.score.n, none.score.mean_error) == (0, 0, 1, 1)
        assert (few.score.n, few.score.mean_error, few.score.before_p50, few.score.before_p90) == (2, 6, 0, 50)
        assert [one.score.n for one in more] == [0, 0, 0]
        assert (unknown.least, unknown.score.n, unknown.score.before_p90) == (None, 1, 100)
        assert {one.score.n for one in accuracy(morning.facility.pk, date(2030, 1, 1), date(2030, 1, 2))} == {0}

    def test_who_was_not_seen_says_nothing(self) -> None:
        morning = Morning()
        given(morning.give("walk_in", "Asha"), Wait(5, 9), where="slip", ahead=0, at=moment("09:00"))
        log.flush()
        assert {one.score.n for one in accuracy(morning.facility.pk, DAY, DAY)} == {0}
