"""The teacher as it labels music's log: mapping and network in one graph."""

import numpy as np
import torch
from torch import Tensor, nn

from training.features.mapping import MappedInputs
from training.features.music_inputs import MusicInputs
from training.features.schema import Schema
from training.teacher.network import Teacher


class TeacherGraph(nn.Module):
    """Probabilities of the teacher's tasks from music's features as the feature store holds them."""

    def __init__(self, teacher: Teacher, mapped: MappedInputs, schema: Schema) -> None:
        super().__init__()
        self.teacher, self.mapped, self.schema = teacher, mapped, schema
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """[candidates, TASKS] float32 from the schema's inputs in order, `request_row` last. No position is known."""
        row = inputs[-1].long()
        columns = {}
        for one, rows in zip(self.schema.inputs, inputs[:-1], strict=True):
            of_candidates = rows if one.entity == "item" else rows[row]
            columns |= {f.name: of_candidates[:, one.columns(f.name)] for f in one.features}
        return torch.sigmoid(self.teacher(*self.mapped(columns)))

    @torch.no_grad()
    def score(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The same without a gradient."""
        return self(*inputs)


class HalfSeeded:
    """Music's requests as the teacher's graph takes them, every second one without a seed, as at home: what is checked
    with them is checked for both surfaces."""

    def __init__(self, read: MusicInputs) -> None:
        self._read = read
        self.schema, self.users, self.items = read.schema, read.users, read.items

    def gather(
        self, user: np.ndarray, seed: np.ndarray, days_ago: np.ndarray, item: np.ndarray, request_row: np.ndarray
    ) -> tuple[Tensor, ...]:
        """As MusicInputs does it."""
        tensors = self._read.gather(user, seed, days_ago, item, request_row)
        for one, tensor in zip(self.schema.inputs, tensors, strict=False):
            if one.entity == "context":
                tensor[1::2] = 0
        return tensors
