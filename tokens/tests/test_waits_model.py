"""The estimator: it learns only from the past, its two figures mean what they say, and it knows a first visit."""

from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokens.tests import clinics
from tokens.waits.consultations import Prediction, Score
from tokens.waits.model import DISTANCES, Clinic, Occasion, Prior, Regression, Sitting, Visit, vector

MORNING = Occasion(2, afternoon=False)
minutes = st.floats(0.5, 90)
visits = st.builds(Visit, st.none() | st.integers(1, 30), st.sampled_from(["F", "M", ""]))
sessions = st.lists(st.lists(st.tuples(minutes, visits), min_size=1, max_size=14), min_size=1, max_size=5)


Lived = list[list[tuple[float, Visit]]]
"""Sessions of (what the step takes, who comes)."""


def live(clinic: Clinic, lived: Lived, scale: float = 1.0) -> list[dict[int, tuple[float, float]]]:
    """Live through sessions of (step, who comes); every prediction on the way."""
    found = []
    for steps in lived:
        sitting, at = clinic.open(MORNING), 0.0
        for place, (step, visit) in enumerate(steps):
            sitting.started(at, visit)
            ahead = [one for _, one in steps[place + 1 :]]
            found.append({k: (r.p50, r.p90) for k, r in sitting.predict(ahead).items()})
            at += step * scale
    return found


class TestRanges:
    @given(sessions)
    def test_they_are_never_negative_and_p90_is_not_below_p50(self, lived: Lived) -> None:
        for one in live(Clinic(), lived):
            assert all(0 <= p50 <= p90 for p50, p90 in one.values())

    @given(sessions)
    def test_the_expectation_grows_with_everybody_ahead(self, lived: Lived) -> None:
        clinic = Clinic()
        live(clinic, lived)
        steps = clinic.open(MORNING).steps([visit for _, visit in lived[0]], 0.0, 0)
        assert all(step > 0 for step in steps)

    @given(sessions, st.sampled_from([0.25, 0.5, 2.0, 4.0]))
    def test_a_clinic_twice_as_slow_waits_twice_as_long(self, lived: Lived, scale: float) -> None:
        """But for the hours into the session, of which there are none where all come at once."""
        first = [steps[:1] for steps in lived]
        one, other = Clinic(Prior(10)), Clinic(Prior(10 * scale))
        live(one, first)
        live(other, first, scale)
        line = [visit for _, visit in lived[0]][:1]
        (step,), (scaled,) = (c.open(MORNING).steps(line, 0.0, 0) for c in (one, other))
        assert scaled == pytest.approx(step * scale)

    @given(st.floats(0, 200), st.floats(1, 60))
    def test_what_remains_is_never_negative(self, elapsed: float, expected: float) -> None:
        found = Clinic().remaining(expected, elapsed)
        assert found.minutes >= 0
        assert 0 <= found.range.p50 <= found.range.p90

    def test_what_remains_of_one_that_took_long_is_what_remained_of_those_that_took_as_long(self) -> None:
        clinic = Clinic(Prior(10, 1000))
        live(clinic, [[(float(step), Visit(2)) for step in (5, 10, 10, 20, 5, 10, 10, 20)] for _ in range(40)])
        fresh, late = clinic.remaining(10, 0).minutes, clinic.remaining(10, 12).minutes
        assert fresh == 10
        assert late == pytest.approx(8, abs=2.5)

    def test_between_two_distances_the_spread_is_between_theirs(self) -> None:
        clinic = Clinic()
        low, high = sorted((clinic.quantiles(5).p90, clinic.quantiles(8).p90))
        assert low <= clinic.quantiles(6.5).p90 <= high
        assert clinic.quantiles(0) == clinic.quantiles(1)
        assert clinic.quantiles(40) == clinic.quantiles(8)


class TestThePastAlone:
    @given(sessions, sessions)
    def test_what_comes_later_changes_no_prediction(self, past: Lived, future: Lived) -> None:
        assert live(Clinic(), past + future)[: sum(map(len, past))] == live(Clinic(), past)

    @given(st.lists(st.tuples(minutes, visits), min_size=3, max_size=14), st.data())
    def test_how_long_the_current_one_takes_changes_no_prediction_made_at_its_start(
        self, steps: list[tuple[float, Visit]], data: st.DataObject
    ) -> None:
        place = data.draw(st.integers(0, len(steps) - 1))
        changed = [(step if i < place else data.draw(minutes), visit) for i, (step, visit) in enumerate(steps)]
        assert live(Clinic(), [steps])[: place + 1] == live(Clinic(), [changed])[: place + 1]

    @pytest.mark.parametrize("cut", [1, 7, 300, 901, 1500])
    def test_cutting_the_file_changes_no_prediction_before_the_cut(self, cut: int) -> None:
        rows = clinics.lines(3)
        whole = {_name(p): (p.p50, p.p90) for p in clinics.predicted(rows)}
        short = clinics.predicted(rows[:cut])
        assert {_name(p): (p.p50, p.p90) for p in short} == {name: whole[name] for name in map(_name, short)}
        kept = {tuple(row.split(",")[:2]) for row in rows[:cut]}
        assert len(short) == sum((session, str(order + ahead)) in kept for session, order, ahead in whole)

    def test_other_times_after_the_cut_change_nothing_before_it(self) -> None:
        rows = clinics.lines(4)
        later = [row.replace(":3", ":4") for row in rows[900:]]
        one, other = clinics.predicted(rows), clinics.predicted(rows[:900] + later)
        known = {row.split(",")[0] for row in rows[900:]}
        before = [(p.p50, p.p90) for p in one if p.session not in known]
        assert len(before) > 1000
        assert before == [(p.p50, p.p90) for p in other if p.session not in known]

    def test_names_of_sessions_do_not_count(self) -> None:
        rows = clinics.lines(5, 30)
        named = ["S" + row for row in rows]
        assert [p.p50 for p in clinics.predicted(rows)] == [p.p50 for p in clinics.predicted(named)]


def _name(p: Prediction) -> tuple[str, int, int]:
    return (p.session, p.order, p.ahead)


def means_what_it_says(score: Score, more: int = 0) -> bool:
    """Whether half start before p50 and nine of ten before p90, within what real consultations are held to."""
    assert score.before_p50 is not None
    assert score.before_p90 is not None
    return abs(score.before_p50 - 50) <= 5 + more and abs(score.before_p90 - 90) <= 4 + more


class TestCoverage:
    """Seeded clinics whose truth is known."""

    @pytest.mark.parametrize("seed", [1, 2, 3])
    @pytest.mark.parametrize("service", [clinics.steady, clinics.by_visit, clinics.with_breaks])
    def test_half_start_before_p50_and_nine_of_ten_before_p90(self, service: clinics.Service, seed: int) -> None:
        for score in clinics.scored(clinics.lines(seed, 150, service)):
            assert means_what_it_says(score), score

    @pytest.mark.parametrize("scale", [0.2, 4.0])
    def test_also_where_consultations_are_much_shorter_or_longer(self, scale: float) -> None:
        for score in clinics.scored(clinics.lines(6, 150, scale=scale)):
            assert means_what_it_says(score), score

    def test_also_after_the_doctor_became_faster(self) -> None:
        rows = clinics.lines(7, 100, clinics.steady)
        faster = [f"9{row}" for row in clinics.lines(8, 100, clinics.steady, 0.5)]
        for score in clinics.scored(rows + faster):
            assert means_what_it_says(score, more=2), score


class TestLearning:
    def test_knowing_who_comes_for_the_first_time_is_better_than_the_median_of_the_past(self) -> None:
        rows = clinics.lines(9, 150)
        made = [p for p in clinics.predicted(rows) if p.ahead == 5]
        blind = median(p.truth for p in made)
        assert mean(abs(p.truth - p.p50) for p in made) < 0.93 * mean(abs(p.truth - blind) for p in made)

    def test_a_first_visit_takes_longer_where_it_did(self) -> None:
        clinic = Clinic()
        live(clinic, [[(20.0, Visit(1)), (10.0, Visit(3))] * 6] * 20)
        first, later = clinic.open(MORNING).steps([Visit(1), Visit(3)], 0.0, 0)
        assert first > 1.5 * later

    def test_little_data_stays_near_the_prior_and_much_leaves_it(self) -> None:
        few, many = Clinic(Prior(10, 20)), Clinic(Prior(10, 20))
        live(few, [[(20.0, Visit(2))] * 3])
        live(many, [[(20.0, Visit(2))] * 20] * 30)
        assert few.step == pytest.approx((20 * 10 + 2 * 20) / 22)
        assert many.step == pytest.approx(20, abs=0.5)

    def test_one_break_of_hours_counts_as_three_consultations(self) -> None:
        clinic = Clinic(Prior(10, 9))
        clinic.learn(vector(Visit(2), MORNING, 0, 0, 0), 600)
        assert clinic.step == 12

    def test_a_slow_session_is_expected_to_stay_slow(self) -> None:
        clinic = Clinic(Prior(10, 50))
        slow = [[(step, Visit(2)) for _ in range(16)] for step in (6.0, 14.0) * 25]
        live(clinic, slow)
        sitting = clinic.open(MORNING)
        for place in range(8):
            sitting.started(place * 14.0, Visit(2))
        same = clinic.open(MORNING)
        for place in range(8):
            same.started(place * 6.0, Visit(2))
        assert sitting.pace > 0 > same.pace

    def test_the_stepper_says_what_the_regression_says(self) -> None:
        clinic = Clinic()
        live(clinic, [[(12.0, Visit(1, "F")), (7.0, Visit(4, "M")), (9.0, Visit())] * 5] * 8)
        sitting = clinic.open(Occasion(2, afternoon=True))
        sitting.started(0.0, Visit(2))
        for visit in (Visit(), Visit(1, "M"), Visit(2, "F"), Visit(3), Visit(9)):
            x = sitting.features(visit, 95.0, 7)
            assert sitting.stepper()(visit, 95.0, 7) == pytest.approx(clinic.step * clinic.regression.factor(x))

    def test_effects_stay_within_reason(self) -> None:
        regression = Regression()
        x = vector(Visit(1), MORNING, 1.0, 3, 0.0)
        for _ in range(50):
            regression.learn(x, 1e6)
        regression.fit()
        assert regression.factor(x) == 3.0

    def test_a_session_joined_in_the_middle_counts_from_there(self) -> None:
        sitting = Sitting(Clinic(Prior(10)), MORNING, order=6)
        sitting.started(100.0, Visit())
        assert (sitting.order, sitting.started_at) == (6, 40.0)
        assert set(sitting.predict([Visit()] * 7)) == set(DISTANCES)
