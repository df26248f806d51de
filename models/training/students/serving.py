"""What is exported: the trunk and the serving heads. Auxiliary heads and the position tower stay behind."""

import copy

import torch
from torch import Tensor, nn

from training.students.network import Student


class ServingStudent(nn.Module):
    """Probabilities of the serving tasks. The tower's `missing` row is folded into the heads' bias."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(student.trunk)
        self.heads = copy.deepcopy(student.heads)
        with torch.no_grad():
            self.heads.bias += student.position.weight[0]
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """[candidates, tasks] float32 from the schema's inputs in order, `request_row` last."""
        return torch.sigmoid(self.heads(*self.trunk(inputs)))

    @torch.no_grad()
    def score(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The same without a gradient."""
        return self(*inputs)
