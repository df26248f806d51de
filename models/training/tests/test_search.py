"""The search: the budget is kept, the poor are pruned, and the student's gain decides."""

from dataclasses import replace

import pytest

from training.search import main
from training.teacher.network import Teacher
from training.teacher.plan import TeacherPlan
from training.teacher_search.bench import TASKS, Bench
from training.teacher_search.budget import Budget
from training.teacher_search.configuration import (
    DISTILLED,
    SIZES,
    SPACE,
    Configuration,
    dense_parameters,
    hidden_of,
    narrowed,
    student_parameters,
)
from training.teacher_search.confirmation import COMMITTED, committed, confirm
from training.teacher_search.evaluation import Evaluation, Evaluator
from training.teacher_search.halving import frontier, successive_halving, winner
from training.teacher_search.picture import write_picture
from training.teacher_search.report import report
from training.teacher_search.run import CHEAP, WINNER, WORLDS_MAX, Found, fresh_worlds, search_worlds
from training.teacher_search.scale import SMOKE

POINTS = 108
# What one evaluation takes on the fake clock, by size.
SECONDS = {"1x": 1.0, "2x": 2.0, "4x": 4.0, "8x": 8.0}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def found(seconds, worlds=4, seed=1, gains=None):
    """Trials of a search in which the larger a teacher, the better its own AUC and the smaller its student's gain."""
    clock, calls = Clock(), []
    budget = Budget(seconds, clock)

    def evaluate(world, configuration):
        calls.append((world, configuration))
        clock.now += SECONDS[configuration.size]
        gain = gains(configuration) if gains else -SECONDS[configuration.size]
        own = {"click": SECONDS[configuration.size] / 10}
        return Evaluation({"click": gain, "like": gain}, own, SECONDS[configuration.size], 1.0)

    trials = successive_halving(seed, SPACE, worlds, budget, 1.0, evaluate, lambda c: SECONDS[c.size])
    return trials, calls, clock.now - 100.0


@pytest.mark.parametrize("seconds", [8.0, 9.5, 40.0, 77.0])
def test_no_step_is_begun_that_would_not_fit_the_budget(seconds):
    trials, calls, spent = found(seconds)
    assert spent <= seconds
    assert spent > seconds - SECONDS["8x"]
    assert sum(len(t.evaluations) for t in trials) == len(calls)


def test_a_large_budget_tries_every_point_once():
    trials, _, _ = found(1e9)
    assert len(trials) == POINTS
    assert len({t.configuration for t in trials}) == POINTS


def test_the_poor_are_pruned_after_one_world_and_the_best_sees_them_all():
    worth = {"all": 2.0, "shared only": 1.0, "no popularity, no age": 0.0}
    trials, _, _ = found(1e9, gains=lambda c: worth[c.features])
    # The first few have nobody to lose against.
    poor = [t for t in trials[POINTS // 2 :] if worth[t.configuration.features] == 0.0]
    assert poor
    assert all(t.ended == "pruned" and len(t.evaluations) == 1 for t in poor)
    best = winner(trials)
    assert best.configuration.features == "all"
    assert len(best.evaluations) == 4


def test_the_students_gain_decides_and_not_the_teachers_own_auc():
    trials, _, _ = found(1e9)
    best = winner(trials)
    assert best.configuration.size == "1x"
    assert best.evaluations[0].teacher_auc["click"] == min(t.evaluations[0].teacher_auc["click"] for t in trials)


def test_a_seed_gives_the_same_trials_and_another_seed_others():
    order = [[t.configuration for t in found(1e9, seed=seed)[0]] for seed in (1, 1, 2)]
    assert order[0] == order[1]
    assert order[0] != order[2]


def test_the_frontier_rises_with_cost():
    trials, _, _ = found(1e9, gains=lambda c: SECONDS[c.size])
    best = frontier(trials)
    assert best
    assert [t.seconds for t in best] == sorted(t.seconds for t in best)
    assert [t.gain for t in best] == sorted({t.gain for t in best})


def test_a_fresh_world_is_measured_for_all_candidates_or_for_none():
    clock = Clock()
    budget = Budget(10.0, clock)
    budget.learn(1.0, 1.5)
    asked = []

    def evaluate(seed, one):
        asked.append(seed)
        clock.now += 1.5
        return Evaluation({"click": 0.0}, {}, 1.5, 1.0)

    two = [committed(), committed().__class__("other", TeacherPlan(), 0.5, TASKS)]
    confirmed = confirm(two, range(501, 510), budget, evaluate, lambda _: 1.0)
    assert [len(e) for e in confirmed.values()] == [3, 3]
    assert asked == [501, 501, 502, 502, 503, 503]


@pytest.mark.parametrize("size", SIZES)
def test_a_teachers_size_is_what_its_name_says(size):
    parameters = dense_parameters(Teacher(0, TeacherPlan(hidden_of(size))))
    assert parameters == pytest.approx(SIZES[size] * student_parameters(), rel=0.01)


def test_a_gain_is_the_students_auc_minus_the_controls():
    evaluator = Evaluator(SMOKE)
    one = Configuration("1x", "25%", "shared only", "click")
    first = evaluator.evaluate(7, *one.teacher, one.distilled)
    assert set(first.gain) == set(DISTILLED["click, completion and like"])
    assert first.mean_gain != 0
    assert first.mean_gain == pytest.approx(sum(first.gain.values()) / 3)
    assert Evaluator(SMOKE).evaluate(7, *one.teacher, one.distilled).gain == first.gain


def test_a_teacher_that_does_not_use_an_input_does_not_notice_it():
    evaluator = Evaluator(SMOKE)
    one = Configuration("1x", "25%", "no popularity, no age", "click")
    evaluator.evaluate(7, *one.teacher, one.distilled)
    bench = evaluator._benches[7]
    teacher, _, _ = bench.teacher(*one.teacher)
    assert (bench.labels(teacher) == bench.labels(teacher, ("popularity", "age"))).all()
    assert (bench.labels(teacher) != bench.labels(teacher, ("content",))).any()


def test_a_log_with_one_outcome_only_leaves_that_tasks_auc_out():
    bench = Bench(7, replace(SMOKE, video_impressions=2_000))
    _, auc, _ = bench.teacher(TeacherPlan((8, 4)), 0.1)
    assert len(auc) < 4
    assert all(0 <= value <= 1 for value in auc.values())


def test_report_and_picture_are_written_where_nothing_could_be_confirmed(tmp_path):
    trials, _, _ = found(9.5)
    for name, some in (("none", Found([], {})), ("unconfirmed", Found(trials, {}))):
        write_picture(tmp_path / f"{name}.svg", some)
        text = report(1, 1.0, 9.5, 10.0, 4, SMOKE, some)
        assert ("no winner" in text) == (winner(some.trials) is None)
        assert f"- {len(some.trials)} of 108 points were tried" in text


def test_the_report_says_whether_a_difference_is_shown():
    trials, _, _ = found(1e9)
    gains = {WINNER: (0.03, 0.04, 0.05), CHEAP: (0.01, 0.02, 0.03), COMMITTED: (0.012, 0.018, 0.031)}
    confirmed = {n: [Evaluation({"click": g}, {}, 1.0, 1.0) for g in of] for n, of in gains.items()}
    text = report(1, 1.0, 9.5, 10.0, 4, SMOKE, Found(trials, confirmed))
    assert "- winner minus the recipe's teacher: +1.97 ± 0.52; a difference is shown." in text
    assert "- cheapest of the frontier minus the recipe's teacher: -0.03 ± 0.52; a difference is not shown" in text


def test_an_unknown_name_is_one_line_and_status_1(tmp_path, capsys):
    assert main(["--smoke", "--size", "1x; 3x", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"size": ["3x"]}, 'unknown size "3x"'),
        ({"features": ["shard only"]}, 'unknown features "shard only".*did you mean "shared only"'),
        ({"sise": ["1x"]}, 'unknown side "sise".*did you mean "size"'),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(chosen, words):
    with pytest.raises(ValueError, match=words):
        narrowed(chosen)


def test_an_unknown_input_of_a_teacher_plan_is_refused():
    with pytest.raises(ValueError, match=r'unknown teacher input "makr".*did you mean "maker"'):
        TeacherPlan(unused=("makr",))


def test_worlds_that_trials_have_seen_are_never_called_fresh():
    seen = [set(worlds(seed, WORLDS_MAX)) for seed in (1, 2) for worlds in (search_worlds, fresh_worlds)]
    assert len(set().union(*seen)) == 4 * WORLDS_MAX


@pytest.mark.parametrize(
    "wrong",
    [
        ["--budget-minutes", "0"],
        ["--budget", "3"],
        ["--smoke", "--worlds", "0"],
        ["--smoke", "--worlds", str(WORLDS_MAX + 1)],
        ["--smoke", "--size", " ; "],
    ],
)
def test_wrong_usage_exits_with_2(wrong):
    with pytest.raises(SystemExit) as stopped:
        main(wrong)
    assert stopped.value.code == 2
