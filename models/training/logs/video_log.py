"""The video platform's log: half feed impressions, half watch-next impressions."""

from dataclasses import dataclass

import numpy as np
import torch

from training.randomness import stream
from training.scale import Scale
from training.world.behaviour import VideoTruth
from training.world.people import People

TASKS = ("click", "watch_fraction", "like", "watch_next")
CHUNK = 500_000


@dataclass(frozen=True)
class VideoLog:
    """One row an impression. user, item, seed int32 [n] (seed -1 in the feed), position int8 [n];
    labels float32 [n, TASKS] with NaN where the impression's kind has no such task."""

    user: np.ndarray
    item: np.ndarray
    seed: np.ndarray
    position: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.user)


def _chunk(rng: np.random.Generator, truth: VideoTruth, users: np.ndarray, videos: int) -> VideoLog:
    n = len(users)
    item = rng.integers(videos, size=n, dtype=np.int32)
    in_feed = rng.random(n) < 0.5
    seed = np.where(in_feed, -1, rng.integers(videos, size=n)).astype(np.int32)
    position = rng.integers(1, 11, size=n).astype(np.int8)
    u, i, s, p = (torch.from_numpy(a.astype(np.int64)) for a in (users, item, np.maximum(seed, 0), position))
    with torch.no_grad():
        click, finish, like = (t.numpy() for t in truth.feed(u, i, p))
        follow = truth.watch_next(u, i, s, p).numpy()
    clicked = rng.random(n) < click
    # How much is watched varies from sitting to sitting, hence the noise around the truth's middle.
    fraction = clicked / (1 + np.exp(-(finish + rng.normal(size=n))))
    liked = clicked & (rng.random(n) < like)
    followed = rng.random(n) < follow
    labels = np.stack([clicked, fraction, liked, followed], axis=1).astype(np.float32)
    labels[in_feed, 3] = np.nan
    labels[~in_feed, :3] = np.nan
    return VideoLog(users.astype(np.int32), item, seed, position, labels)


def draw_video_log(seed: int, scale: Scale, people: People, truth: VideoTruth) -> VideoLog:
    """Draws `video_impressions` rows; busier accounts appear more often."""
    rng = stream(seed, "video log")
    share = people.weekly_videos / people.weekly_videos.sum(dtype=np.float64)
    users = rng.choice(len(share), p=share, size=scale.video_impressions)
    chunks = [_chunk(rng, truth, users[start : start + CHUNK], scale.videos) for start in range(0, len(users), CHUNK)]
    names = ("user", "item", "seed", "position", "labels")
    return VideoLog(*(np.concatenate([getattr(c, name) for c in chunks]) for name in names))
