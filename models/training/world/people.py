"""Accounts: hidden taste, and what the platforms observe of it."""

from dataclasses import dataclass

import numpy as np

from training.randomness import stream
from training.scale import Scale
from training.world.items import AUDIO
from training.world.space import WIDTH, Space

COUNTRIES = ("BR", "DE", "FR", "GB", "IN", "JP", "MX", "US")
DEVICES = ("desktop", "phone", "speaker", "tv")
# Music taste is the account's taste turned by this cosine: what people watch tells much of what they hear, not all.
MUSIC_TASTE_CLOSENESS = 0.9
# Standard deviation of the error in the taste that the video platform's user encoder reports.
OBSERVED_TASTE_NOISE = 0.4


@dataclass(frozen=True)
class People:
    """One row an account; the first `listeners` rows also use the music app.

    Hidden: taste, music_taste [n, WIDTH], audio_taste [n, AUDIO], novelty, length_taste [n].
    Observed: video_taste [n, WIDTH], weekly_videos, weekly_plays, tenure_days [n], country, device int32 [n].
    Every other array is float32.
    """

    taste: np.ndarray
    music_taste: np.ndarray
    audio_taste: np.ndarray
    novelty: np.ndarray
    length_taste: np.ndarray
    video_taste: np.ndarray
    weekly_videos: np.ndarray
    weekly_plays: np.ndarray
    tenure_days: np.ndarray
    country: np.ndarray
    device: np.ndarray

    def activity(self, listeners: int) -> np.ndarray:
        """How often each listener comes, relative to others; float64 [listeners]."""
        return self.weekly_plays[:listeners].astype(np.float64) + 1


def draw_people(seed: int, scale: Scale, space: Space) -> People:
    """Draws the accounts. Observed taste is hidden taste with noise: the encoder is good, not perfect."""
    rng = stream(seed, "people")
    n = scale.accounts
    liked = space.centroids[rng.integers(len(space.centroids), size=(n, 2))].mean(axis=1)
    taste = 0.6 * np.sqrt(2) * liked + 0.8 * rng.normal(size=(n, WIDTH))
    own = rng.normal(size=(n, WIDTH))
    music_taste = MUSIC_TASTE_CLOSENESS * taste + np.sqrt(1 - MUSIC_TASTE_CLOSENESS**2) * own
    video_taste = taste + OBSERVED_TASTE_NOISE * rng.normal(size=(n, WIDTH))
    floats = (
        taste,
        music_taste,
        rng.normal(size=(n, AUDIO)),
        rng.normal(size=n),
        rng.normal(size=n),
        video_taste,
        rng.lognormal(3.0, 0.8, size=n).round(),
        rng.lognormal(2.5, 0.6, size=n).round(),
        rng.integers(1, 2_000, size=n),
    )
    return People(
        *(a.astype(np.float32) for a in floats),
        rng.integers(len(COUNTRIES), size=n).astype(np.int32),
        rng.choice(len(DEVICES), p=(0.2, 0.5, 0.2, 0.1), size=n).astype(np.int32),
    )
