"""AUC and calibration a task, on held-out impressions, all items and new releases apart."""

import numpy as np
from sklearn.metrics import roc_auc_score

from training.examples import Examples
from training.logs.music_log import SURFACE_TASKS
from training.students.serving import ServingStudent

REQUESTS_A_RUN = 1_000


def predict(student: ServingStudent, examples: Examples) -> np.ndarray:
    """Probabilities [candidates, tasks] float32 as served: without a position."""
    rows = np.arange(len(examples))
    runs = np.split(rows, range(REQUESTS_A_RUN, len(rows), REQUESTS_A_RUN))
    return np.concatenate([student.score(examples.batch(run).inputs).numpy() for run in runs])


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
