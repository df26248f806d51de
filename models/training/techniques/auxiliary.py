"""Auxiliary distillation: a head that is never served takes the soft loss, and the experts learn from it."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from training.examples import Batch
from training.refusal import RefusedError, refuse_unknown
from training.students.plans import StudentPlan
from training.techniques.hard import Hard, hard_loss, masked_loss


class Auxiliary(Hard):
    """L = hard on the serving logits + weight * soft on separate logits of the teacher's tasks (watch-next unless the
    plan says others), for tasks that do not correspond: no number of the teacher's reaches a serving logit."""

    options: ClassVar[Mapping[str, object]] = {"weight": 1.0, "tasks": ("watch_next",)}

    def __init__(self, plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> None:
        super().__init__(plan, tasks, teacher_tasks)
        asked, place = plan.options.get("tasks", ("watch_next",)), f'student "{plan.name}", option "tasks"'
        # A text is a sequence of letters, and a table one of its keys: neither is meant.
        if not isinstance(asked, list | tuple) or not asked:
            raise RefusedError(f"{place}: expected a list of the teacher's tasks, found {asked!r}")
        for task in asked:
            refuse_unknown("teacher task", task, teacher_tasks, place)
            if asked.count(task) > 1:
                raise RefusedError(f'{place}: expected every task once, found "{task}" again')
        self.auxiliary_tasks = tuple(asked)
        self.weight = plan.number("weight", 1.0)
        self._columns = [teacher_tasks.index(task) for task in self.auxiliary_tasks]

    def prepare(self, labels: Tensor, teacher: Tensor) -> Tensor:
        """The teacher's probabilities of the auxiliary tasks, as they are: no rate of theirs is served."""
        return torch.sigmoid(teacher[:, self._columns])

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, batch: Batch, soft: Tensor) -> Tensor:
        """Hard on the serving heads, soft on the auxiliary heads."""
        return hard_loss(shown, batch) + self.weight * masked_loss(auxiliary, soft)
