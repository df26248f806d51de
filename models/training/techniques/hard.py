"""No teacher: the listeners' outcomes alone. Every technique has the shape of `Hard`."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from training.examples import Batch
from training.students.plans import StudentPlan


def masked_loss(logits: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy summed over tasks, averaged over the candidates that have any target; [candidates, tasks] both.

    NaN targets are left out. `weight` [candidates] multiplies a candidate's loss and not the number it is divided
    by, so that inverse propensities estimate the mean over the population. Without any target the loss is 0.
    """
    known = ~torch.isnan(targets)
    # A NaN must not reach the loss even where it is masked: NaN times 0 is NaN in the gradient.
    loss = binary_cross_entropy_with_logits(logits, torch.where(known, targets, 0.0), reduction="none")
    loss = torch.where(known, loss, 0.0).sum(dim=1)
    if weight is not None:
        loss = loss * weight
    return loss.sum() / known.any(dim=1).sum().clamp(min=1)


def hard_loss(logits: Tensor, batch: Batch) -> Tensor:
    """What the listeners did, at the weight of each request."""
    return masked_loss(logits, batch.labels, batch.weight)


class Hard:
    """The control's loss. `options` names what a plan may set, with defaults."""

    options: ClassVar[Mapping[str, object]] = {}

    def __init__(self, plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> None:
        self.auxiliary_tasks: tuple[str, ...] = ()

    def prepare(self, labels: Tensor, teacher: Tensor) -> Tensor:
        """Soft targets [candidates, k] float32 from labels and teacher logits of all examples; none here."""
        return labels[:, :0]

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, batch: Batch, soft: Tensor) -> Tensor:
        """Scalar. `shown`, `served` and `auxiliary` are the student's logits; `soft` the batch's rows of `prepare`."""
        return hard_loss(shown, batch)
