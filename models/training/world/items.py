"""Tracks and videos: content in the shared space, and features that each domain has alone."""

from dataclasses import dataclass

import numpy as np

from training.randomness import stream
from training.scale import Scale
from training.world.space import GENRES, WIDTH, Space

NEW_RELEASE_SHARE = 0.1
NEW_RELEASE_AGE_DAYS_MAX = 7
AUDIO = 3


@dataclass(frozen=True)
class Items:
    """One domain's items, one row each. `quality` is hidden; `own` are the numbers only this domain has.

    content [n, WIDTH] float32; maker, genre int32 [n]; own [n, k] float32; quality, age_days, daily float32 [n],
    where `daily` is the item's plays a day once it is known.
    """

    content: np.ndarray
    maker: np.ndarray
    genre: np.ndarray
    own: np.ndarray
    quality: np.ndarray
    age_days: np.ndarray
    daily: np.ndarray

    def __len__(self) -> int:
        return len(self.genre)

    def weekly_plays(self, rows: np.ndarray, days_ago: np.ndarray) -> np.ndarray:
        """Plays in a week as known `days_ago`: a release needs a month to reach its level. float32, like rows."""
        age = np.maximum(self.age_days[rows] - days_ago, 0)
        return (7 * self.daily[rows] * np.minimum(age / 30, 1)).round().astype(np.float32)


def _draw(rng: np.random.Generator, space: Space, count: int, makers: int, own: int) -> Items:
    maker_genre = rng.integers(len(GENRES), size=makers)
    maker_content = 0.6 * space.centroids[maker_genre] + 0.8 * rng.normal(size=(makers, WIDTH))
    maker = rng.integers(makers, size=count)
    content = 0.7 * maker_content[maker] + 0.714 * rng.normal(size=(count, WIDTH))
    quality = rng.normal(size=count)
    old = np.minimum(NEW_RELEASE_AGE_DAYS_MAX + 1 + rng.lognormal(5.5, 1.0, size=count), 4_000)
    new = rng.integers(NEW_RELEASE_AGE_DAYS_MAX + 1, size=count)
    age_days = np.where(rng.random(count) < NEW_RELEASE_SHARE, new, old.round())
    daily = np.exp(2.5 + 0.7 * quality + 0.8 * rng.normal(size=count))
    return Items(
        content.astype(np.float32),
        maker.astype(np.int32),
        maker_genre[maker].astype(np.int32),
        rng.normal(size=(count, own)).astype(np.float32),
        quality.astype(np.float32),
        age_days.astype(np.float32),
        daily.astype(np.float32),
    )


def draw_tracks(seed: int, scale: Scale, space: Space) -> Items:
    """Tracks; `own` are tempo, energy and acousticness, standardised. About a tenth are new releases."""
    return _draw(stream(seed, "tracks"), space, scale.tracks, scale.artists, AUDIO)


def draw_videos(seed: int, scale: Scale, space: Space) -> Items:
    """Videos; `own` is the standardised logarithm of the duration."""
    return _draw(stream(seed, "videos"), space, scale.videos, scale.creators, 1)
