"""Candidates as the demo's retrieval mixes them: near the history, popular, fresh, and the rest at random."""

import numpy as np

from training.world.items import NEW_RELEASE_AGE_DAYS_MAX
from training.world.simulation import World

CANDIDATES = 200
NEAR, POPULAR, FRESH = 70, 50, 20
POOL_OF_NEAR, POOL_OF_POPULAR = 300, 400


class Retrieval:
    """Knows what a retrieval stage would: history, content, plays and age; never the truth."""

    def __init__(self, world: World) -> None:
        tracks = world.tracks
        rows = np.arange(len(tracks))
        self._unit = tracks.content / np.linalg.norm(tracks.content, axis=1, keepdims=True)
        self._histories = world.listening.tracks
        self._popular = np.argsort(-tracks.weekly_plays(rows, np.zeros_like(rows)))[:POOL_OF_POPULAR]
        self._fresh = np.flatnonzero(tracks.age_days <= NEW_RELEASE_AGE_DAYS_MAX)

    def candidates(self, rng: np.random.Generator, listener: int) -> np.ndarray:
        """CANDIDATES distinct rows of tracks, in no telling order."""
        history = self._histories[listener]
        history = history[history >= 0]
        chosen = [rng.choice(self._popular, POPULAR), rng.choice(self._fresh, FRESH)]
        if len(history):
            similarity = self._unit @ self._unit[history].mean(axis=0)
            chosen.append(rng.choice(np.argpartition(-similarity, POOL_OF_NEAR)[:POOL_OF_NEAR], NEAR))
        # The shuffled catalogue fills what duplicates and missing histories leave open.
        rows = np.unique(np.concatenate(chosen))
        rest = np.setdiff1d(rng.choice(len(self._unit), 2 * CANDIDATES, replace=False), rows)
        return rng.permutation(np.concatenate([rows, rng.permutation(rest)[: CANDIDATES - len(rows)]]))
