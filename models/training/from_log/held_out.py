"""What the last part of the log says of a student: AUC, log loss and calibration a task, over all and by arm."""

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score


def held_out_metrics(
    tasks: tuple[str, ...], predicted: np.ndarray, labels: np.ndarray, weight: np.ndarray, arm: np.ndarray
) -> dict[str, float]:
    """`<all or arm>/<task>/<metric>` to number. predicted and labels [items, tasks], weight and arm [items].

    Calibration is the mean prediction over the observed rate. An arm with one class of a task is left out there.
    """
    figures = {}
    slices = {"all": np.ones(len(arm), bool)} | {str(one): arm == one for one in np.unique(arm)}
    for name, mask in slices.items():
        for k, task in enumerate(tasks):
            said, seen, w = predicted[mask, k].astype(np.float64), labels[mask, k], weight[mask].astype(np.float64)
            if seen.min() == seen.max():
                continue
            figures[f"{name}/{task}/auc"] = float(roc_auc_score(seen, said, sample_weight=w))
            figures[f"{name}/{task}/logloss"] = float(log_loss(seen, said, sample_weight=w))
            figures[f"{name}/{task}/calibration"] = float((said * w).sum() / (seen * w).sum())
    return figures
