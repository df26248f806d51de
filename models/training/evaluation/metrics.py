"""AUC and calibration a task, on held-out impressions, all items and new releases apart."""

import numpy as np
from sklearn.metrics import roc_auc_score

from training.features.music_inputs import MusicInputs
from training.logs.music_log import SHOWN, SURFACE_TASKS, MusicLog
from training.students.serving import ServingStudent


def predict(student: ServingStudent, inputs: MusicInputs, log: MusicLog) -> np.ndarray:
    """Probabilities [impressions, tasks] float32 as served: without a position."""
    request_row = np.repeat(np.arange(len(log)), SHOWN)
    return student.score(inputs.gather(log.user, log.seed, log.days_ago, log.item.ravel(), request_row)).numpy()


def task_metrics(surface: str, predicted: np.ndarray, labels: np.ndarray, new: np.ndarray) -> dict[str, float]:
    """`<slice>/<task>/<metric>` to number, for slices `all` and `new` (a mask [impressions] bool).

    Calibration is the mean prediction over the observed rate: 1 is calibrated, above 1 promises too much.
    """
    figures = {}
    for name, mask in (("all", np.ones_like(new)), ("new", new)):
        for column, task in enumerate(SURFACE_TASKS[surface]):
            seen, said = labels[mask, column], predicted[mask, column]
            figures[f"{name}/{task}/auc"] = float(roc_auc_score(seen, said))
            figures[f"{name}/{task}/calibration"] = float(said.mean(dtype=np.float64) / seen.mean(dtype=np.float64))
    return figures
