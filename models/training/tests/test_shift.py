import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.command_line import MODELS
from training.drift.figures import Claim, leak
from training.drift.measure import TASKS, bias_figures, true_probabilities
from training.drift.periods import draw_drifting_world
from training.drift.scale import SMOKE
from training.drift.teachers import is_updated
from training.drift.techniques import technique
from training.drift.world import Drift, rotation
from training.evaluation.intervals import Interval
from training.examples import music_examples
from training.features.music_inputs import MusicInputs
from training.shift import main
from training.world.behaviour import MusicTruth, VideoTruth

SEED = 7


def behaviour(music, video, people=200):
    user = torch.arange(people)
    one = torch.ones_like(user)
    with torch.no_grad():
        return torch.stack([music(user, user, -one, one)[0][:, 0], video.feed(user, user, one)[0]])


@pytest.fixture(scope="module")
def world():
    return draw_drifting_world(SEED, SMOKE)


@pytest.fixture(scope="module")
def asked(world):
    """Period 1's requests and their true probabilities."""
    period = world.period(1)
    return period.asked, true_probabilities(period.truth, period.asked)


def test_drift_at_no_speed_leaves_the_truth_as_it_is():
    still = draw_drifting_world(SEED, replace(SMOKE, drift=Drift(turn=0.0, rate=0.0)))
    music = MusicTruth(still.space, still.people, still.tracks, SMOKE.world.listeners)
    plain = behaviour(music, VideoTruth(still.space, still.people, still.videos))
    for number in (0, 1, 5):
        video, music = still.truths(number)
        assert torch.equal(behaviour(music, video), plain)


def test_a_turn_by_no_angle_is_no_turn_and_turns_add_up():
    assert np.array_equal(rotation(SEED, 0.0), np.eye(16, dtype=np.float32))
    np.testing.assert_allclose(rotation(SEED, 0.1) @ rotation(SEED, 0.2), rotation(SEED, 0.3), atol=1e-6)
    np.testing.assert_allclose(rotation(SEED, 0.7) @ rotation(SEED, 0.7).T, np.eye(16), atol=1e-6)


def test_tastes_and_rates_both_move(world):
    for drift in (replace(SMOKE.drift, rate=0.0), replace(SMOKE.drift, turn=0.0)):
        moving = draw_drifting_world(SEED, replace(SMOKE, drift=drift))
        video, music = moving.truths(2)
        first_video, first_music = moving.truths(0)
        moved = torch.logit(behaviour(music, video)) - torch.logit(behaviour(first_music, first_video))
        if drift.rate:
            np.testing.assert_allclose(moved.numpy(), 2 * drift.rate, atol=1e-4)
        else:
            assert moved.std(dim=1).min() > 0.1


def test_what_the_platforms_observe_does_not_turn(world):
    assert np.array_equal(draw_drifting_world(SEED, SMOKE).people.video_taste, world.people.video_taste)


def test_drift_is_the_seeds_own(world):
    again, other = draw_drifting_world(SEED, SMOKE).period(2), draw_drifting_world(SEED + 1, SMOKE).period(2)
    period = world.period(2)
    for log in ("music_log", "asked", "video_log"):
        assert np.array_equal(getattr(period, log).labels, getattr(again, log).labels, equal_nan=True)
        assert not np.array_equal(getattr(period, log).item, getattr(other, log).item)


def test_the_truth_has_no_bias(asked):
    log, true = asked
    figures = bias_figures(true, true, log.labels.reshape(-1, len(TASKS)))
    for task in TASKS:
        assert [figures[f"{task}/{f}"] for f in ("bias", "logit", "error", "spread")] == [0, 0, 0, 0]


def test_a_planted_bias_is_measured(asked):
    log, true = asked
    figures = bias_figures(true + np.array([0.05, 0.0, -0.01]), true, log.labels.reshape(-1, len(TASKS)))
    for task, planted in zip(TASKS, (0.05, 0.0, -0.01), strict=True):
        assert figures[f"{task}/bias"] == pytest.approx(planted, abs=1e-12)
        assert figures[f"{task}/error"] == pytest.approx(abs(planted), abs=1e-12)
        assert figures[f"{task}/spread"] == pytest.approx(0, abs=1e-12)


def test_outcomes_come_at_the_true_rates(world):
    many = replace(SMOKE, world=replace(SMOKE.world, held_out_requests=4_000))
    period = draw_drifting_world(SEED, many).period(2)
    rates = true_probabilities(period.truth, period.asked).mean(axis=0)
    # 40,000 outcomes: four standard errors are below 0.009; items shown first are a little likelier.
    np.testing.assert_allclose(period.asked.labels.reshape(-1, 3).mean(axis=0), rates, atol=0.02)


def test_only_plain_direct_keeps_the_teachers_rate(world):
    log = world.period(0).music_log
    inputs = MusicInputs("home", world.people, world.listening, world.tracks)
    examples = music_examples(log, inputs, np.full((*log.item.shape, 4), 0.0, np.float32))
    labels, teacher = torch.from_numpy(examples.labels), torch.from_numpy(examples.teacher)
    promised = {
        name: technique(name, examples).prepare(labels, teacher).mean(dim=0) for name in ("direct", "direct at rate")
    }
    assert torch.allclose(promised["direct"], torch.tensor(0.5))
    assert torch.allclose(promised["direct at rate"], labels.mean(dim=0), atol=1e-4)


def test_policies_update_when_they_say():
    def when(policy):
        return [n for n in range(6) if is_updated(policy, n, 2)]

    assert (when("once"), when("stepwise"), when("continuous")) == ([0], [0, 2, 4], [0, 1, 2, 3, 4, 5])


def test_a_claim_is_decided_by_its_interval():
    claim = Claim("", "", "", "")
    found = [claim.verdict(Interval(mean, 1.0)) for mean in (2.0, 0.5, -2.0)]
    assert found == ["holds", "not shown", "contradicted"]


def test_the_leak_is_the_served_share_of_the_extra_bias():
    def run(teacher, student, base):
        biases = {"once/teacher": teacher + 0.1, "continuous/teacher": 0.1, "once/direct": student + base}
        biases["continuous/direct"] = base
        return {"arms": {arm: [{"click/bias": 9.0}, {"click/bias": bias}] for arm, bias in biases.items()}}

    found = leak({"runs": [run(0.08, 0.06, -0.02), run(0.04, 0.03, 0.01)]}, "direct", "click")
    assert found.mean == pytest.approx(0.75)
    assert found.half_width == pytest.approx(0.0, abs=1e-9)


def test_smoke_run_writes_figures_report_and_picture(tmp_path):
    assert main(["--smoke", "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "training" / "results" / "shift.json").read_text())
    assert [run["seed"] for run in results["runs"]] == [1, 2]
    assert {len(periods) for run in results["runs"] for periods in run["arms"].values()} == {SMOKE.periods}
    text = (tmp_path / "reports" / "shift.md").read_text()
    assert "continuous/direct at rate" in text
    assert "nan" not in text
    assert (tmp_path / "reports" / "shift.svg").stat().st_size > 10_000


def test_a_place_that_cannot_be_written_to_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "reports").write_text("")
    assert main(["--smoke", "--out", str(tmp_path)]) == 1
    assert "expected a place for the folder reports/, found File exists" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--seeds", "1"], ["--seeds", "0"], ["--smoke", "--out", "."], ["--sead", "1"]])
def test_wrong_usage_is_refused_before_anything_runs(wrong, monkeypatch):
    monkeypatch.chdir(MODELS)
    with pytest.raises(SystemExit) as refused:
        main(wrong)
    assert refused.value.code == 2
