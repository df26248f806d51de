"""How the teacher sees an impression of either domain: shared features, and video's own or their missing value."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.world.items import Items
from training.world.people import People


@dataclass(frozen=True)
class TeacherView:
    """One domain's tables as the teacher reads them.

    Shared: taste [accounts, 16], content [items, 16], popularity (share of the domain's items played less,
    in [0, 1]) and age. Video's own: length [items], maker [items] (1-based); 0 means missing in both, which is all
    that music has to offer there.
    """

    taste: Tensor
    content: Tensor
    length: Tensor
    maker: Tensor
    has_own: bool
    items: Items
    ladder: np.ndarray

    def item_numbers(self, item: np.ndarray, days_ago: np.ndarray) -> Tensor:
        """[n, 2] float32: popularity, and log age, as of that day."""
        popularity = np.searchsorted(self.ladder, self.items.weekly_plays(item, days_ago)) / len(self.ladder)
        age = np.log1p(np.maximum(self.items.age_days[item] - days_ago, 0)) / 8
        return torch.from_numpy(np.stack([popularity, age], axis=1).astype(np.float32))


def _ladder(items: Items) -> np.ndarray:
    rows = np.arange(len(items))
    return np.sort(items.weekly_plays(rows, np.zeros_like(rows)))


def video_view(people: People, videos: Items) -> TeacherView:
    """Video as the teacher was trained on it."""
    return TeacherView(
        torch.from_numpy(people.video_taste),
        torch.from_numpy(videos.content),
        torch.from_numpy(videos.own[:, 0]),
        torch.from_numpy(videos.maker + 1),
        True,
        videos,
        _ladder(videos),
    )


def music_view(people: People, tracks: Items) -> TeacherView:
    """Music translated: the same account's taste, the shared content, popularity by rank within music."""
    return TeacherView(
        torch.from_numpy(people.video_taste),
        torch.from_numpy(tracks.content),
        torch.zeros(len(tracks)),
        torch.zeros(len(tracks), dtype=torch.int32),
        False,
        tracks,
        _ladder(tracks),
    )
