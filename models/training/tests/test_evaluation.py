"""Figures and the tables made of them."""

import numpy as np
import pytest

from training.evaluation.demo_power import demo_power
from training.evaluation.intervals import t_interval
from training.evaluation.metrics import task_metrics
from training.evaluation.retrieval import CANDIDATES, Retrieval
from training.reporting.readme_part import prepare_readme
from training.reporting.results_table import BEGIN, END


def test_interval_is_students():
    # Mean 3, standard deviation sqrt(2.5), t(0.975, 4) = 2.776.
    interval = t_interval([1, 2, 3, 4, 5])
    assert interval.mean == 3
    assert interval.half_width == pytest.approx(2.776 * (2.5 / 5) ** 0.5, abs=1e-3)


def test_calibration_is_promised_over_seen():
    labels = np.tile([[1, 0, 1], [0, 1, 0]], (5, 1)).astype(np.float32)
    predicted = np.full_like(labels, 0.25)
    figures = task_metrics("home", predicted, labels, np.arange(10) < 4)
    assert figures["all/click/calibration"] == pytest.approx(0.5)
    assert figures["new/click/auc"] == 0.5


def test_no_lift_is_found_as_often_as_alpha_says():
    rng = np.random.default_rng(0)
    arm = {"click": rng.gamma(2, 1, 2_000), "click/variance": np.ones(2_000)}
    figures = demo_power("home", np.ones(5_000), arm, arm, "click")
    assert figures["lift"] == 0
    assert figures["power"] == pytest.approx(0.05, abs=1e-6)


def test_retrieval_gives_distinct_tracks(world):
    retrieval, rng = Retrieval(world), np.random.default_rng(0)
    for listener in range(20):
        rows = retrieval.candidates(rng, listener)
        assert len(np.unique(rows)) == len(rows) == CANDIDATES


def test_a_readme_without_markers_is_left_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\nno end")
    with pytest.raises(ValueError, match="markers"):
        prepare_readme(readme, "Results", BEGIN, END)
    assert END not in readme.read_text()
