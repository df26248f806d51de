"""Auxiliary distillation: a head that is never served takes the soft loss, and the experts learn from it."""

import torch
from torch import Tensor

from training.logs.video_log import TASKS
from training.techniques.hard import Hard, hard_loss


class Auxiliary(Hard):
    """L = hard on the serving logits + weight * soft on a separate watch-next logit, for tasks that do not
    correspond: no number of the teacher's reaches a serving logit."""

    def __init__(self, surface: str, weight: float) -> None:
        super().__init__(surface, weight)
        self.auxiliary_tasks = ("watch_next",)
        self._weight = weight

    def prepare(self, labels: Tensor, teacher_logits: Tensor) -> Tensor:
        """The teacher's probabilities of the auxiliary tasks, as they are: no rate of theirs is served."""
        columns = [TASKS.index(task) for task in self.auxiliary_tasks]
        return torch.sigmoid(teacher_logits[:, columns])

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, labels: Tensor, soft: Tensor) -> Tensor:
        """Hard on the serving heads, soft on the auxiliary heads."""
        return hard_loss(shown, labels) + self._weight * hard_loss(auxiliary, soft)
