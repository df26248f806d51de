"""What each listener played before the log begins: the history the music app knows."""

from dataclasses import dataclass

import numpy as np
import torch

from training.randomness import stream
from training.world.behaviour import MusicTruth
from training.world.items import Items
from training.world.space import GENRES

HISTORY = 20
LOG_DAYS = 28
CONSIDERED = 80


@dataclass(frozen=True)
class Listening:
    """tracks int32 [listeners, HISTORY], newest first, -1 where there is none; genres float32 [listeners, GENRES],
    the share of each genre among them."""

    tracks: np.ndarray
    genres: np.ndarray


def draw_listening(seed: int, truth: MusicTruth, tracks: Items, listeners: int) -> Listening:
    """Each listener plays, of some tracks that were out before the log, those they most wanted, with noise."""
    rng = stream(seed, "listening")
    out = np.flatnonzero(tracks.age_days > LOG_DAYS)
    seen = out[rng.integers(len(out), size=(listeners, CONSIDERED))]
    user = np.repeat(np.arange(listeners), CONSIDERED)
    one = torch.ones(user.size, dtype=torch.int32)
    with torch.no_grad():
        home, _ = truth.at(
            torch.from_numpy(user), torch.from_numpy(seen.ravel()), -one, one, torch.full_like(one, LOG_DAYS)
        )
    wanted = torch.logit(home[:, 0]).numpy().reshape(listeners, CONSIDERED) + rng.gumbel(size=seen.shape)
    best = np.argsort(-wanted, axis=1)[:, :HISTORY]
    chosen = np.take_along_axis(seen, best, axis=1).astype(np.int32)
    # Some have played little: their lists are short, some are empty.
    length = np.minimum(rng.geometric(1 / 12, size=listeners) - 1, HISTORY)
    chosen[np.arange(HISTORY) >= length[:, None]] = -1
    genres = np.zeros((listeners, len(GENRES)), dtype=np.float32)
    rows, columns = np.nonzero(chosen >= 0)
    np.add.at(genres, (rows, tracks.genre[chosen[rows, columns]]), 1.0)
    return Listening(chosen, genres / np.maximum(length, 1)[:, None].astype(np.float32))
