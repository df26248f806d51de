"""The teacher's network: one multi-task tower over shared and video-only features."""

import torch
from torch import Tensor, nn

from training.features.teacher_inputs import MISSING, OWN, SHARED, TEACHER_INPUTS
from training.features.teacher_mapping import POSITIONS
from training.logs.video_log import TASKS
from training.teacher.plan import TEACHER_PLAN, TeacherPlan
from training.world.space import WIDTH

FACTORS = 48
HIDDEN = TEACHER_PLAN.hidden
MAKER_WIDTH = 8
POSITION_DROPOUT = 0.1


class Teacher(nn.Module):
    """Logits of the video tasks. A row of zeros is no seed, maker 0 says that video's own features are missing, and
    position 0 is no position. In training features go missing at random, so that the missing value is one the
    teacher knows."""

    def __init__(self, makers: int, plan: TeacherPlan = TEACHER_PLAN) -> None:
        super().__init__()
        self.plan = plan
        self.maker = nn.Embedding(makers + 1, MAKER_WIDTH)
        nn.init.zeros_(self.maker.weight)
        self.position = nn.Embedding(POSITIONS + 1, len(TASKS))
        nn.init.zeros_(self.position.weight)
        self.taste_factors = nn.Linear(WIDTH, FACTORS)
        self.content_factors = nn.Linear(WIDTH, FACTORS)
        self.seed_factors = nn.Linear(WIDTH, FACTORS)
        width = 3 * WIDTH + 2 * FACTORS + 2 + 2 + 1 + MAKER_WIDTH
        first, second = plan.hidden
        self.tower = nn.Sequential(nn.Linear(width, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU())
        self.heads = nn.Linear(second, len(TASKS))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits [n, TASKS] from TEACHER_INPUTS [n, width] each."""
        seen = dict(zip((i.name for i in TEACHER_INPUTS), inputs, strict=True))
        for name in self.plan.unused:
            seen[name] = torch.full_like(seen[name], MISSING[name])
        if self.training:
            self._drop(seen)
        taste, content, seed = seen["taste"], seen["content"], seen["seed"]
        has_seed = (seed.abs().amax(dim=1, keepdim=True) > 0).float()
        has_own = (seen["maker"] > 0).float()
        factors = self.content_factors(content)
        crossed = [factors * self.taste_factors(taste), factors * self.seed_factors(seed)]
        alone = [seen["popularity"], seen["age"], has_seed, seen["length"], has_own, self.maker(seen["maker"][:, 0])]
        hidden = self.tower(torch.cat([taste, content, seed, *crossed, *alone], dim=1))
        return self.heads(hidden) + self.position(seen["position"][:, 0])

    def _drop(self, seen: dict[str, Tensor]) -> None:
        rows = len(seen["taste"])
        if self.plan.own_dropout > 0:
            kept = torch.rand(rows, 1) >= self.plan.own_dropout
            for name in OWN:
                seen[name] = torch.where(kept, seen[name], MISSING[name])
        kept = torch.rand(rows, 1) >= POSITION_DROPOUT
        seen["position"] = torch.where(kept, seen["position"], MISSING["position"])
        for name in SHARED if self.plan.shared_dropout > 0 else ():
            kept = torch.rand(rows, 1) >= self.plan.shared_dropout
            seen[name] = torch.where(kept, seen[name], MISSING[name])
