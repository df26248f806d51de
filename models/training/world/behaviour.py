"""The truth: what a person does with an item at a position. Logs are drawn from it and nothing else sees it."""

import numpy as np
import torch
from torch import Tensor, nn

from training.world.items import Items
from training.world.people import People
from training.world.space import WIDTH, Matrices, Space

# A fresh item draws those who seek novelty; half of the pull is gone after ten days.
FRESH_DAYS = 14.0
HOME_COLUMNS = ("P(click)", "P(completion given click)", "P(like given completion)")
RADIO_COLUMNS = ("P(completion)", "P(skip)", "P(like given completion)")


def _appeal(left: Tensor, matrix: Tensor, right: Tensor) -> Tensor:
    """Bilinear appeal [n], of about unit variance."""
    return ((left @ matrix) * right).sum(dim=-1) / WIDTH**0.5


class _Truth(nn.Module):
    def __init__(self, matrices: Matrices, tables: dict[str, np.ndarray]) -> None:
        super().__init__()
        tables = tables | {f"{name}_matrix": m for name, m in vars(matrices).items()}
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(table, dtype=np.float32)))

    def fresh(self, user: Tensor, age_days: Tensor) -> Tensor:
        return (0.5 + self.novelty[user]) * torch.exp(-age_days.clamp(min=0) / FRESH_DAYS)


class VideoTruth(_Truth):
    """Behaviour on the video platform."""

    def __init__(self, space: Space, people: People, videos: Items) -> None:
        super().__init__(
            space.video,
            {
                "taste": people.taste,
                "novelty": people.novelty,
                "length_taste": people.length_taste,
                "content": videos.content,
                "quality": videos.quality,
                "age_days": videos.age_days,
                "length": videos.own[:, 0],
            },
        )

    def feed(self, user: Tensor, item: Tensor, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """P(click), logit of the fraction watched given click, P(like given click); each float32 [n]."""
        taste, content, quality = self.taste[user], self.content[item], self.quality[item]
        length = self.length_taste[user] * self.length[item]
        click = 1.3 * _appeal(taste, self.click_matrix, content) + 0.5 * quality + 0.4 * length
        click = click + 0.4 * self.fresh(user, self.age_days[item]) - 0.35 * torch.log(position.float())
        finish = 0.3 + 0.9 * _appeal(taste, self.finish_matrix, content) + 0.3 * quality + 0.3 * length
        like = 1.0 * _appeal(taste, self.like_matrix, content) + 0.4 * quality - 1.6
        return torch.sigmoid(click - 1.6), finish, torch.sigmoid(like)

    def watch_next(self, user: Tensor, item: Tensor, seed: Tensor, position: Tensor) -> Tensor:
        """P(the item is watched next after the seed), float32 [n]."""
        content = self.content[item]
        logit = 1.1 * _appeal(self.content[seed], self.follow_matrix, content)
        logit = logit + 0.8 * _appeal(self.taste[user], self.finish_matrix, content) + 0.4 * self.quality[item]
        logit = logit + 0.2 * self.fresh(user, self.age_days[item]) - 0.2 * torch.log(position.float())
        return torch.sigmoid(logit - 1.2)


class MusicTruth(_Truth):
    """Behaviour in the music app; exported as truth.onnx."""

    def __init__(self, space: Space, people: People, tracks: Items, listeners: int) -> None:
        super().__init__(
            space.music,
            {
                "taste": people.music_taste[:listeners],
                "audio_taste": people.audio_taste[:listeners],
                "novelty": people.novelty[:listeners],
                "content": tracks.content,
                "audio": tracks.own,
                "quality": tracks.quality,
                "age_days": tracks.age_days,
            },
        )

    def forward(self, user_row: Tensor, item_row: Tensor, seed_row: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities `home` and `radio`, float32 [n, 3] each, for int32 [n] rows and positions, as of today."""
        return self.at(user_row, item_row, seed_row, position, torch.zeros_like(position))

    def at(
        self, user_row: Tensor, item_row: Tensor, seed_row: Tensor, position: Tensor, days_ago: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The same, `days_ago` int32 [n] days before today."""
        user, item = user_row.long(), item_row.long()
        content, quality = self.content[item], self.quality[item]
        taste = self.taste[user]
        audio = (self.audio_taste[user] * self.audio[item]).sum(dim=-1) / self.audio.shape[1] ** 0.5
        fresh = self.fresh(user, self.age_days[item] - days_ago.float())
        depth = torch.log(position.float())
        click_appeal = _appeal(taste, self.click_matrix, content)
        finish_appeal = _appeal(taste, self.finish_matrix, content)
        like_logit = _appeal(taste, self.like_matrix, content) + 0.4 * quality + 0.3 * audio - 1.3

        click = torch.sigmoid(1.3 * click_appeal + 0.5 * quality + 0.4 * audio + 0.4 * fresh - 0.35 * depth - 1.8)
        finish = torch.sigmoid(0.9 * finish_appeal + 0.3 * quality + 0.4 * audio + 0.3)
        home = torch.stack([click, finish, torch.sigmoid(like_logit)], dim=-1)

        follow = _appeal(self.content[seed_row.long().clamp(min=0)], self.follow_matrix, content)
        wanted = 1.0 * follow + 0.8 * finish_appeal + 0.4 * quality + 0.4 * audio + 0.2 * fresh
        heard = torch.sigmoid(wanted - 0.15 * depth - 2.4)
        # What is not heard out is skipped, or lost to leaving the app; the less wanted, the sooner skipped.
        skipped = (1 - heard) * torch.sigmoid(0.6 - 0.5 * wanted)
        radio = torch.stack([heard, skipped, torch.sigmoid(like_logit)], dim=-1)
        return home, radio
