"""The comparison: its configuration, its measures, and the way through in little."""

import json
import re

import numpy as np
import pytest
from conftest import TINY

from training import compare
from training.evaluation.quality import calibration_error, ndcg, quality
from training.evaluation.techniques import compare_seed
from training.features import teacher_mapping
from training.features.mapping import Same
from training.reporting.technique_gains import gain
from training.reporting.techniques import report
from training.run import run_seed
from training.teacher_search.bench import Bench
from training.techniques.configuration import read_plans

TWO = """
[[student]]
name = "home none"
surface = "home"
technique = "none"
[[student]]
name = "home direct"
surface = "home"
technique = "direct"
options = { weight = 4.0 }
"""


def written(tmp_path, text):
    path = tmp_path / "students.toml"
    path.write_text(text)
    return path


def test_the_committed_configuration_has_both_rankers_and_every_technique():
    plans = read_plans(compare.CONFIG)
    assert {p.surface for p in plans} == {"home", "radio"}
    assert {p.technique for p in plans} == {"none", "direct", "auxiliary", "rank", "augmentation"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"direct"', '"derect"'), 'unknown technique "derect".*did you mean "direct"'),
        (('surface = "home"', 'surface = "hom"'), 'unknown surface "hom".*did you mean "home"'),
        (("weight = 4.0", "wait = 4.0"), 'unknown option "wait"'),
        (("technique =", "tecnique ="), 'unknown field "tecnique".*did you mean "technique"'),
        (('"home direct"', '"home none"'), "every student's name once, found 'home none'"),
        (('technique = "none"', 'technique = "direct"'), "one student of technique 'none' on 'home', found"),
        (("[[student]]", "[[students]]"), 'unknown table "students".*did you mean "student"'),
        (('"home direct"', "7"), "student 2: expected 'name' to be a text, found 7"),
        (("[[student]]", "[[student"), "expected a readable TOML file"),
        ((TWO, "student = []"), r"expected \[\[student\]\] tables, found none"),
        (('"direct"\noptions = { weight = 4.0 }', '"auxiliary"\noptions = { tasks = 3 }'), "teacher's tasks, found 3"),
    ],
)
def test_a_configuration_that_cannot_be_trained_is_one_line_and_status_1(tmp_path, capsys, change, message):
    path = written(tmp_path, TWO.replace(*change))
    assert compare.main(["--config", str(path), "--smoke", "--out", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert re.search(message, error), error
    assert error.count("\n") == 1


def test_a_place_that_cannot_be_written_to_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "training").write_text("")
    assert compare.main(["--smoke", "--out", str(tmp_path)]) == 1
    assert "expected a place for the folder training/results/" in capsys.readouterr().err


def test_a_mapping_that_cannot_be_meant_is_refused_before_the_teacher_is_trained(monkeypatch):
    """By every way that ends in a student; drift and mapping ask for the mapping first of all."""
    monkeypatch.setattr(teacher_mapping, "music_sources", lambda tracks: {"taste": Same("taste")})
    for train in (lambda: compare_seed(1, TINY, ()), lambda: run_seed(1, TINY), lambda: Bench(1, TINY)):
        for name in ("training.evaluation.techniques", "training.run"):
            monkeypatch.setattr(f"{name}.train_teacher", lambda *_: pytest.fail("training began"))
        monkeypatch.setattr("training.teacher_search.bench.train_student", lambda *_: pytest.fail("training began"))
        with pytest.raises(ValueError, match='mapping of music: expected teacher input "content" to be declared'):
            train()


def test_wrong_usage_is_refused(capsys):
    for wrong in (["--seeds", "1"], ["--sed", "2"], ["--smoke", "--out", str(compare.MODELS)]):
        with pytest.raises(SystemExit) as refused:
            compare.main(wrong)
        assert refused.value.code == 2
    assert "at least 2" in capsys.readouterr().err


def test_calibration_error_weighs_its_bins():
    # Twenty bins of two: in each, 0.25 is promised; half of the bins see 0.5, half see 0.
    seen = np.concatenate([np.tile([1.0, 0.0], 10), np.zeros(20)])
    assert calibration_error(seen, np.full(40, 0.25)) == pytest.approx(0.25)


def test_ndcg_by_hand():
    # Request 0 puts its one positive second: 1 / log2(3). Request 1 has no positive and does not count.
    seen, said = np.array([0.0, 1.0, 0.0, 0.0, 0.0]), np.array([0.9, 0.5, 0.1, 0.2, 0.3])
    assert ndcg(seen, said, np.array([4, 4, 4, 9, 9])) == pytest.approx(1 / np.log2(3))
    assert ndcg(seen[3:], said[3:], np.array([9, 9])) is None


def test_a_slice_without_both_outcomes_has_no_auc():
    figures = quality(np.zeros(4), np.full(4, 0.5), np.zeros(4, int))
    assert figures["auc"] is figures["calibration"] is figures["ndcg"] is None
    assert figures["log_loss"] == pytest.approx(np.log(2))


def test_the_way_through_writes_what_the_figures_say(tmp_path):
    plans = read_plans(compare.CONFIG)
    runs = [compare_seed(seed, TINY, plans) for seed in (1, 2)]
    results = {
        "scale": {"held_out_requests": TINY.held_out_requests},
        "students": compare.described(plans),
        "wall_seconds": 60,
        "runs": runs,
    }
    compare.prepare(tmp_path)
    compare.write_results(tmp_path, results)
    kept = json.loads((tmp_path / "training" / "results" / "techniques.json").read_text())
    assert (tmp_path / "reports" / "techniques.md").read_text() == report(kept)
    pictures = [(tmp_path / "reports" / "techniques.svg").read_bytes()]
    compare.write_results(tmp_path, kept)
    assert (tmp_path / "reports" / "techniques.svg").read_bytes() == pictures[0]
    found = gain(kept, "home direct", "home none", "all/click/auc")
    by_seed = [
        r["students"]["home direct"]["all/click/auc"] - r["students"]["home none"]["all/click/auc"] for r in runs
    ]
    assert found.mean == pytest.approx(np.mean(by_seed))
    assert f"{100 * found.mean:+.2f} ± " in (tmp_path / "README.md").read_text()
