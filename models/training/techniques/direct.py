"""Direct distillation: the serving logit takes the hard and the soft loss, where the tasks correspond."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from training.examples import Batch
from training.refusal import RefusedError
from training.students.plans import StudentPlan
from training.techniques.hard import Hard, hard_loss, masked_loss
from training.techniques.tasks import task_columns


def shifted_to_rate(logits: Tensor, labels: Tensor) -> Tensor:
    """Logits [n, tasks] with each task's moved by one number, so that where outcomes are known the mean of their
    sigmoid is the mean of `labels` [n, tasks].

    The domains' base rates differ, and a teacher's rate in the serving logit would be served. The shift is found
    by Newton's method on the mean of the shifted sigmoid, kept inside a bracket: far from the root the mean is
    flat, and a plain Newton step from there goes to infinity. NaN logits stay NaN.
    """
    known = ~(torch.isnan(logits) | torch.isnan(labels))
    count = known.sum(dim=0)
    rate = torch.where(known, labels, 0.0).sum(dim=0) / count
    # With every logit at its largest the root is `low`, at its smallest `high`.
    low = torch.logit(rate) - torch.where(known, logits, -torch.inf).amax(dim=0)
    high = torch.logit(rate) - torch.where(known, logits, torch.inf).amin(dim=0)
    shift = torch.zeros_like(rate).clamp(low, high)
    for _ in range(50):
        soft = torch.sigmoid(logits + shift)
        excess = torch.where(known, soft, 0.0).sum(dim=0) / count - rate
        slope = torch.where(known, soft * (1 - soft), 0.0).sum(dim=0) / count
        low, high = torch.where(excess < 0, shift, low), torch.where(excess < 0, high, shift)
        newton = shift - excess / slope
        shift = torch.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
    return logits + shift


class Direct(Hard):
    """L = hard + weight * soft, both on the serving logit; the soft labels know no position.

    Above temperature 1, soft = T^2 * cross-entropy(student logit / T, sigmoid(teacher logit / T)): the softened
    target's gradient shrinks with 1 / T^2, and the factor takes that back (Hinton et al., arXiv 1503.02531, section
    2). The teacher's logit is moved to the rate first, at T = 1, so that the optimum is the same at every T.
    """

    options: ClassVar[Mapping[str, object]] = {"weight": 1.0, "temperature": 1.0, "tasks": None}

    def __init__(self, plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> None:
        super().__init__(plan, tasks, teacher_tasks)
        self.weight = plan.number("weight", 1.0)
        self.temperature = plan.number("temperature", 1.0)
        self.own, self.of_teacher = task_columns(plan, tasks, teacher_tasks)
        self._names = [tasks[column] for column in self.own]

    def prepare(self, labels: Tensor, teacher: Tensor) -> Tensor:
        """The corresponding tasks' softened probabilities, at the rates of the labels; raises RefusedError where the
        labels give no rate."""
        own, logits = labels[:, self.own], teacher[:, self.of_teacher]
        self._check_rates(own, logits)
        return torch.sigmoid(shifted_to_rate(logits, own) / self.temperature)

    def _check_rates(self, labels: Tensor, logits: Tensor) -> None:
        """A rate of 0 or 1 would move every soft label there, whatever the teacher says."""
        for column, task in enumerate(self._names):
            seen = labels[~(torch.isnan(labels[:, column]) | torch.isnan(logits[:, column])), column]
            if not len(seen) or seen.min() == seen.max():
                found = f"{seen[0]:g} in all {len(seen)}" if len(seen) else "none"
                raise RefusedError(
                    f'labels of task "{task}" where the teacher has one too: expected both outcomes, found {found}'
                )

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, batch: Batch, soft: Tensor) -> Tensor:
        """Hard where it was shown, soft as it will be served."""
        softened = masked_loss(served[:, self.own] / self.temperature, soft)
        return hard_loss(shown, batch) + self.weight * self.temperature**2 * softened
