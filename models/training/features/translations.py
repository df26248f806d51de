"""Functions that a mapping translates target features with. They are exported inside the teacher's graph."""

import numpy as np
import torch
from torch import Tensor, nn

from training.refusal import RefusedError


class Ladder(nn.Module):
    """A count's place in its own domain: the share of the domain's items with a smaller one, in [0, 1].

    Counts are whole, so the empirical distribution is a table with one entry a count, and a look-up is exact.
    """

    def __init__(self, counts: np.ndarray) -> None:
        """counts [items]: whole numbers of at least 0."""
        super().__init__()
        if not len(counts) or not np.isfinite(counts).all() or (counts < 0).any() or (counts % 1).any():
            raise RefusedError("popularity ladder: expected whole counts of at least 0 of at least one item")
        shares = np.searchsorted(np.sort(counts), np.arange(counts.max() + 2)) / len(counts)
        self.register_buffer("shares", torch.from_numpy(shares.astype(np.float32)))

    def forward(self, count: Tensor) -> Tensor:
        """float32 [n, 1] from counts [n, 1]; below 0 counts as 0, above the largest as 1."""
        return self.shares[count.ceil().clamp(0, len(self.shares) - 1).long()]


class LogAge(nn.Module):
    """log(1 + days) / 8: near 1 for an item of eight years. A negative age counts as none."""

    def forward(self, days: Tensor) -> Tensor:
        """[n, 1] from days [n, 1]."""
        return torch.log1p(days.clamp(min=0)) / 8
