"""How good probabilities are, in one task and one slice: order, calibration, and both at once."""

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

BINS = 20
TOP = 10


def calibration_error(seen: np.ndarray, said: np.ndarray) -> float:
    """Expected calibration error: mean |predicted - observed| over BINS equal-mass bins of the prediction."""
    bins = np.array_split(np.argsort(said, kind="stable"), min(BINS, len(said)))
    gaps = [abs(said[b].mean(dtype=np.float64) - seen[b].mean(dtype=np.float64)) * len(b) for b in bins]
    return float(sum(gaps) / len(said))


def ndcg(seen: np.ndarray, said: np.ndarray, request: np.ndarray) -> float | None:
    """NDCG@TOP with binary gains, averaged over the requests that hold both outcomes; None if none does.

    seen, said [n]; request int [n] says which request each belongs to, in rising order.
    """
    groups, at, count = np.unique(request, return_inverse=True, return_counts=True)
    first = (np.cumsum(count) - count)[at]

    def dcg(score: np.ndarray) -> np.ndarray:
        order = np.lexsort((-score, at))
        rank = np.arange(len(at)) - first
        return np.bincount(at, np.where(rank < TOP, seen[order] / np.log2(rank + 2), 0.0), len(groups))

    positives = np.bincount(at, seen, len(groups))
    both = (positives > 0) & (positives < count)
    return float((dcg(said)[both] / dcg(seen)[both]).mean()) if both.any() else None


def quality(seen: np.ndarray, said: np.ndarray, request: np.ndarray) -> dict[str, float | None]:
    """auc, ece, calibration (predicted over observed), log_loss, ndcg. None where the slice does not define one."""
    seen, said = seen.astype(np.float64), said.astype(np.float64)
    if not len(seen):
        return dict.fromkeys(("auc", "ece", "calibration", "log_loss", "ndcg"))
    return {
        "auc": float(roc_auc_score(seen, said)) if 0 < seen.sum() < len(seen) else None,
        "ece": calibration_error(seen, said),
        "calibration": float(said.mean() / seen.mean()) if seen.any() else None,
        "log_loss": float(log_loss(seen, said, labels=[0, 1])),
        "ndcg": ndcg(seen, said, request),
    }
