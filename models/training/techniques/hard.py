"""No teacher: the listeners' outcomes alone."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def hard_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy summed over tasks, averaged over impressions; both [candidates, tasks]."""
    return binary_cross_entropy_with_logits(logits, labels, reduction="none").sum(dim=1).mean()


class Hard:
    """The control's loss. Every technique has this shape."""

    def __init__(self, surface: str, weight: float) -> None:
        self.auxiliary_tasks: tuple[str, ...] = ()

    def prepare(self, labels: Tensor, teacher_logits: Tensor) -> Tensor:
        """Soft targets [n, k] float32 of the training rows; none here."""
        return labels[:, :0]

    def loss(self, shown: Tensor, served: Tensor, auxiliary: Tensor | None, labels: Tensor, soft: Tensor) -> Tensor:
        """Scalar. `shown`, `served` and `auxiliary` are the student's logits; `soft` is what `prepare` returned."""
        return hard_loss(shown, labels)
