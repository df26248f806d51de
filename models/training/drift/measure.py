"""Calibration against the truth: expected minus true probability, which no log could show without noise."""

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from training.logs.music_log import SHOWN, SURFACE_TASKS, MusicLog
from training.world.behaviour import MusicTruth

TASKS = SURFACE_TASKS["home"]


@torch.no_grad()
def true_probabilities(truth: MusicTruth, asked: MusicLog) -> np.ndarray:
    """float64 [candidates, tasks], unconditional, averaged over the positions 1 to SHOWN: what a model that is served
    without a position should say."""
    user, item = torch.from_numpy(np.repeat(asked.user, SHOWN)), torch.from_numpy(asked.item.ravel())
    total = np.zeros((len(item), len(TASKS)))
    for position in range(1, SHOWN + 1):
        at = torch.full_like(item, position)
        home, _ = truth.at(user, item, torch.full_like(item, -1), at, torch.zeros_like(item))
        # Click, completion given click, like given completion: each happens only if the one before it did.
        total += np.cumprod(home.numpy().astype(np.float64), axis=1)
    return total / SHOWN


def bias_figures(predicted: np.ndarray, true: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """`<task>/<figure>` to number; all arrays [candidates, tasks].

    bias: mean predicted minus true probability; logit: the same as a difference of the means' logits; error: root mean
    square of predicted minus true; spread: what is left of it once the mean is right (the error's standard deviation);
    auc: of the outcomes drawn.
    """
    figures = {}
    for column, task in enumerate(TASKS):
        said, is_true = predicted[:, column].astype(np.float64), true[:, column]
        means = np.array([said.mean(), is_true.mean()])
        logits = np.log(means) - np.log1p(-means)
        figures[f"{task}/bias"] = float(means[0] - means[1])
        figures[f"{task}/logit"] = float(logits[0] - logits[1])
        figures[f"{task}/error"] = float(np.sqrt(((said - is_true) ** 2).mean()))
        figures[f"{task}/spread"] = float((said - is_true).std())
        figures[f"{task}/auc"] = float(roc_auc_score(labels[:, column], said))
    return figures
