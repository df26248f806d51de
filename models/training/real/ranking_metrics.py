"""AUC, log loss and NDCG@10 a proxy, on requests with sampled negatives."""

from itertools import pairwise

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from training.real.requests import Requests
from training.real.students import TASKS

METRICS = ("auc", "log_loss", "ndcg_at_10")
DEPTH = 10


def proxy_metrics(predicted: np.ndarray, requests: Requests) -> dict[str, dict[str, float]]:
    """metric by proxy. predicted [candidates, tasks] probabilities; unknown labels (NaN) are left out."""
    figures = {}
    for column, task in enumerate(TASKS):
        labels, said = requests.labels[:, column], predicted[:, column].astype(np.float64)
        known = ~np.isnan(labels)
        figures[task] = {
            "auc": float(roc_auc_score(labels[known], said[known])),
            "log_loss": float(log_loss(labels[known], said[known], labels=[0, 1])),
            "ndcg_at_10": _mean_ndcg(said, labels, requests.start),
        }
    return figures


def _mean_ndcg(said: np.ndarray, labels: np.ndarray, start: np.ndarray) -> float:
    """Mean over the requests with a positive (Jarvelin and Kekalainen, ACM TOIS 2002), gains 0 or 1."""
    discount = 1 / np.log2(np.arange(2, DEPTH + 2))
    scores = []
    for first, end in pairwise(start):
        known = ~np.isnan(labels[first:end])
        relevant = labels[first:end][known]
        if not relevant.any():
            continue
        ranked = relevant[np.argsort(-said[first:end][known], kind="stable")][:DEPTH]
        ideal = np.sort(relevant)[::-1][:DEPTH]
        scores.append((ranked * discount[: len(ranked)]).sum() / (ideal * discount[: len(ideal)]).sum())
    return float(np.mean(scores))
