"""Student's t intervals over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and the half-width of its 95 % interval."""

    mean: float
    half_width: float

    @property
    def leaves_out_zero(self) -> bool:
        """Whether a difference is shown."""
        return abs(self.mean) > self.half_width


def t_interval(values: Sequence[float]) -> Interval:
    """Interval of the mean of independent values; one value alone has an infinite half-width."""
    n = len(values)
    if n < 2:
        return Interval(float(np.mean(values)), float("inf"))
    half_width = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / n**0.5
    return Interval(float(np.mean(values)), float(half_width))
