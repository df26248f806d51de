"""The teacher's network: one wide multi-task tower over shared and video-only features."""

import torch
from torch import Tensor, nn

from training.logs.video_log import TASKS
from training.world.space import WIDTH

FACTORS = 48
HIDDEN = (256, 128)
MAKER_WIDTH = 8
POSITIONS = 10
OWN_DROPOUT = 0.3
POSITION_DROPOUT = 0.1


class Teacher(nn.Module):
    """Logits of the video tasks. Missing values: seed content zero with flag 0, length zero with flag 0, maker 0,
    position 0. In training the video-only features and the position go missing at random, so that the missing
    value is one the teacher knows."""

    def __init__(self, makers: int) -> None:
        super().__init__()
        self.maker = nn.Embedding(makers + 1, MAKER_WIDTH)
        nn.init.zeros_(self.maker.weight)
        self.position = nn.Embedding(POSITIONS + 1, len(TASKS))
        nn.init.zeros_(self.position.weight)
        self.taste_factors = nn.Linear(WIDTH, FACTORS)
        self.content_factors = nn.Linear(WIDTH, FACTORS)
        self.seed_factors = nn.Linear(WIDTH, FACTORS)
        width = 3 * WIDTH + 2 * FACTORS + 2 + 2 + 1 + MAKER_WIDTH
        self.tower = nn.Sequential(nn.Linear(width, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], HIDDEN[1]), nn.ReLU())
        self.heads = nn.Linear(HIDDEN[1], len(TASKS))

    def forward(
        self,
        taste: Tensor,
        content: Tensor,
        numbers: Tensor,
        seed: Tensor,
        has_seed: Tensor,
        length: Tensor,
        maker: Tensor,
        has_own: Tensor,
        position: Tensor,
    ) -> Tensor:
        """Logits [n, TASKS]. taste, content, seed [n, 16]; numbers [n, 2]; has_seed, length, has_own float32 [n];
        maker, position integer [n]."""
        if self.training:
            kept = (torch.rand_like(has_own) >= OWN_DROPOUT).float()
            has_own, length, maker = has_own * kept, length * kept, maker * kept.to(maker.dtype)
            position = position * (torch.rand_like(has_own) >= POSITION_DROPOUT).to(position.dtype)
        seed = seed * has_seed[:, None]
        factors = self.content_factors(content)
        flags = torch.stack([has_seed, length, has_own], dim=1)
        seen = [taste, content, seed, factors * self.taste_factors(taste), factors * self.seed_factors(seed)]
        hidden = self.tower(torch.cat([*seen, numbers, flags, self.maker(maker)], dim=1))
        return self.heads(hidden) + self.position(position)
