"""How the teacher sees an impression of either domain: the domain's features, mapped to the teacher's inputs."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.features.mapping import MappedInputs
from training.features.teacher_mapping import music_inputs, video_inputs
from training.world.items import Items
from training.world.people import People


@dataclass(frozen=True)
class TeacherView:
    """One domain's tables by feature: taste [accounts, 16]; content [items, 16]; `own`, the features that only this
    domain has, [items, 1] each; and the mapping that makes the teacher's inputs of them."""

    taste: Tensor
    content: Tensor
    own: dict[str, Tensor]
    items: Items
    mapped: MappedInputs

    def inputs(
        self,
        user: np.ndarray,
        item: np.ndarray,
        seed: np.ndarray,
        days_ago: np.ndarray,
        position: np.ndarray | None = None,
    ) -> tuple[Tensor, ...]:
        """The teacher's inputs [n, width] of impressions [n], with age and popularity as of that day; seed -1 is none,
        and only a domain whose mapping reads positions needs them."""
        item_row, seed_row = torch.from_numpy(item).long(), torch.from_numpy(seed).long()
        columns = {name: table[item_row] for name, table in self.own.items()}
        if position is not None:
            columns["position"] = torch.from_numpy(position).int()[:, None]
        columns["taste"] = self.taste[torch.from_numpy(user).long()]
        columns["content"] = self.content[item_row]
        columns["seed_content"] = self.content[seed_row.clamp(min=0)] * (seed_row >= 0).float()[:, None]
        columns["plays_week"] = torch.from_numpy(self.items.weekly_plays(item, days_ago))[:, None]
        columns["age_days"] = torch.from_numpy(self.items.age_days[item] - days_ago)[:, None]
        return self.mapped(columns)


def video_view(people: People, videos: Items) -> TeacherView:
    """Video as the teacher is trained on it."""
    own = {
        "length": torch.from_numpy(videos.own[:, :1]),
        "creator": torch.from_numpy(videos.maker + 1)[:, None],
    }
    taste, content = torch.from_numpy(people.video_taste), torch.from_numpy(videos.content)
    return TeacherView(taste, content, own, videos, video_inputs(videos))


def music_view(people: People, tracks: Items, hidden: tuple[str, ...] = ()) -> TeacherView:
    """Music as the mapping translates it; `hidden` teacher inputs take their missing value."""
    taste, content = torch.from_numpy(people.video_taste), torch.from_numpy(tracks.content)
    return TeacherView(taste, content, {}, tracks, music_inputs(tracks, hidden))
