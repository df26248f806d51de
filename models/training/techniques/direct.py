"""Direct distillation: the serving logit takes the hard and the soft loss, where the tasks correspond."""

import torch
from torch import Tensor

from training.logs.video_log import TASKS
from training.techniques.hard import Hard, hard_loss

# Home's tasks and the teacher's tasks that resemble them.
CORRESPONDING = {"home": ("click", "watch_fraction", "like")}


def shifted_to_rate(logits: Tensor, rate: Tensor) -> Tensor:
    """Soft labels in [0, 1] from logits [n, tasks], each task's shifted by one number so that its mean is `rate`.

    The domains' base rates differ, and a teacher's rate in the serving logit would be served. The shift is found
    by Newton's method on the mean of the shifted sigmoid.
    """
    shift = torch.zeros_like(rate)
    for _ in range(20):
        soft = torch.sigmoid(logits + shift)
        shift = shift - (soft.mean(dim=0) - rate) / (soft * (1 - soft)).mean(dim=0)
    return torch.sigmoid(logits + shift)


class Direct(Hard):
    """L = hard + weight * soft, both on the serving logit; the soft labels know no position."""

    def __init__(self, surface: str, weight: float) -> None:
        super().__init__(surface, weight)
        self._weight = weight
        self._columns = [TASKS.index(task) for task in CORRESPONDING[surface]]

    def prepare(self, labels: Tensor, teacher_logits: Tensor) -> Tensor:
        """The corresponding tasks' probabilities at the rates of the labels."""
        return shifted_to_rate(teacher_logits[:, self._columns], labels.mean(dim=0))

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, labels: Tensor, soft: Tensor) -> Tensor:
        """Hard where it was shown, soft as it will be served."""
        return hard_loss(shown, labels) + self._weight * hard_loss(served, soft)
