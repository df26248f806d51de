"""Costs of hiding, from the results, as intervals over seeds paired by seed."""

import numpy as np

from training.evaluation.intervals import Interval, t_interval
from training.mapping_cost.measure import NOTHING


def teacher_auc(results: dict, arm: str, hidden: str, task: str) -> Interval:
    """The teacher's zero-shot AUC."""
    return t_interval([run["arms"][arm]["teacher"][hidden][task] for run in results["runs"]])


def teacher_cost(results: dict, arm: str, hidden: str, task: str) -> Interval:
    """AUC that the teacher loses where `hidden` is missing."""
    found = [run["arms"][arm]["teacher"] for run in results["runs"]]
    return t_interval([a[NOTHING][task] - a[hidden][task] for a in found])


def gain(results: dict, arm: str, hidden: str) -> Interval:
    """The student's gain over the control, mean over its tasks."""
    return t_interval(_gains(results, arm, hidden))


def gain_cost(results: dict, arm: str, hidden: str) -> Interval:
    """Gain that the student loses where `hidden` is missing from the labels."""
    pairs = zip(_gains(results, arm, NOTHING), _gains(results, arm, hidden), strict=True)
    return t_interval([whole - less for whole, less in pairs])


def gain_difference(results: dict, arm: str, other: str, hidden: str = NOTHING) -> Interval:
    """The gain with one arm's teacher minus that with another's."""
    pairs = zip(_gains(results, arm, hidden), _gains(results, other, hidden), strict=True)
    return t_interval([a - b for a, b in pairs])


def _gains(results: dict, arm: str, hidden: str) -> list[float]:
    return [float(np.mean(list(run["arms"][arm]["gain"][hidden].values()))) for run in results["runs"]]
