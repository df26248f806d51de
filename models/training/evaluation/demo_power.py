"""How likely the demo is to see what is there: power of its test on the mean outcomes a listener."""

import numpy as np
from scipy import stats

from training.evaluation.live import REQUESTS_A_LISTENER

# `npm run demo`: this many visits of the first so many listeners, busier ones more often, two equal arms.
VISITS = 25_000
LISTENERS = 5_000
SURFACE_SHARE = {"home": 0.6, "radio": 0.4}
ALPHA = 0.05


def demo_power(
    surface: str, activity: np.ndarray, control: dict[str, np.ndarray], treated: dict[str, np.ndarray], task: str
) -> dict[str, float]:
    """Mean outcomes a request by arm, their lift, and the power of a two-sided Welch test at ALPHA (normal
    approximation) between the arms' means a listener.

    A listener's total over K ~ Poisson(l) requests has E[T] = l m and E[T^2] = l (v + m^2) + l^2 (m^2 + b), where m
    and v are mean and variance of one request's total and b is the variance between listeners, estimated by the
    covariance of one listener's two requests. Only listeners that came (K > 0) are units. `activity` [listeners]
    is proportional to l.
    """
    busy = activity[:LISTENERS]
    rate = VISITS * SURFACE_SHARE[surface] * busy / busy.sum()
    units = float((1 - np.exp(-rate)).sum())
    means, squared_errors, a_request = [], [], []
    for arm in (control, treated):
        between = float(np.cov(arm[task].reshape(-1, REQUESTS_A_LISTENER).T)[0, 1])
        mean = float(arm[task].mean())
        variance = float(arm[task].var() + arm[f"{task}/variance"].mean())
        total = rate.sum() * mean / units
        square = float((rate * (variance + mean**2) + rate**2 * (mean**2 + between)).sum()) / units
        a_request.append(mean)
        means.append(total)
        squared_errors.append((square - total**2) / (units / 2))
    z = (means[1] - means[0]) / sum(squared_errors) ** 0.5
    threshold = stats.norm.ppf(1 - ALPHA / 2)
    return {
        "control": a_request[0],
        "treated": a_request[1],
        "lift": a_request[1] / a_request[0] - 1,
        "power": float(stats.norm.sf(threshold - z) + stats.norm.cdf(-threshold - z)),
    }
