"""Auxiliary distillation: a head that is never served takes the soft loss, and the experts learn from it."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from training.examples import Batch
from training.nearest import refuse_unknown
from training.students.plans import StudentPlan
from training.techniques.hard import Hard, hard_loss, masked_loss


class Auxiliary(Hard):
    """L = hard on the serving logits + weight * soft on separate logits of the teacher's tasks (watch-next unless the
    plan says others), for tasks that do not correspond: no number of the teacher's reaches a serving logit."""

    options: ClassVar[Mapping[str, object]] = {"weight": 1.0, "tasks": ("watch_next",)}

    def __init__(self, plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> None:
        super().__init__(plan, tasks, teacher_tasks)
        self.auxiliary_tasks = tuple(plan.options.get("tasks") or ("watch_next",))
        for task in self.auxiliary_tasks:
            refuse_unknown("teacher task", task, teacher_tasks, f"student {plan.name!r}, option 'tasks'")
        self.weight = plan.number("weight", 1.0)
        self._columns = [teacher_tasks.index(task) for task in self.auxiliary_tasks]

    def prepare(self, labels: Tensor, teacher: Tensor) -> Tensor:
        """The teacher's probabilities of the auxiliary tasks, as they are: no rate of theirs is served."""
        return torch.sigmoid(teacher[:, self._columns])

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, batch: Batch, soft: Tensor) -> Tensor:
        """Hard on the serving heads, soft on the auxiliary heads."""
        return hard_loss(shown, batch) + self.weight * masked_loss(auxiliary, soft)
