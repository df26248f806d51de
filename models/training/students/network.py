"""One student: encoders, experts, serving heads, and what only training needs."""

import torch
from torch import Tensor, nn

from training.features.music_features import TRACK
from training.features.schema import Schema
from training.logs.music_log import SHOWN
from training.students.encoders import TRACK_WIDTH, EntityEncoder, silent_embedding
from training.students.experts import Experts, Heads

POSITION_DROPOUT = 0.1


class Trunk(nn.Module):
    """From the graph's inputs to the request's and the item's vectors and the experts' answers."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.names = [i.name for i in schema.inputs]
        self.tracks = silent_embedding(TRACK.buckets, TRACK_WIDTH)
        entities = dict.fromkeys(i.entity for i in schema.inputs)
        self.encoders = nn.ModuleDict({e: EntityEncoder(schema, e, self.tracks) for e in entities})
        self.item_width = self.encoders["item"].width
        self.request_width = sum(e.width for name, e in self.encoders.items() if name != "item")
        self.experts = Experts(self.request_width, self.item_width)

    def forward(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(experts [candidates, 4, 16], request [requests, r], item [candidates, i], request_row int64)."""
        named, request_row = dict(zip(self.names, inputs, strict=False)), inputs[-1].long()
        encoded = {
            entity: encoder(named[f"{entity}_numbers"], named[f"{entity}_indices"])
            for entity, encoder in self.encoders.items()
        }
        item = encoded.pop("item")
        request = torch.cat(list(encoded.values()), dim=1)
        return self.experts(request, item, request_row), request, item, request_row


class Student(nn.Module):
    """A student in training: serving heads, auxiliary heads if the technique wants any, and a position tower.

    The tower (one number a position and task, as in Zhao et al., RecSys 2019, DOI 10.1145/3298689.3346997) takes
    up position bias; position 0 is `missing`, learned from positions dropped at random, and all that serving has.
    """

    def __init__(self, schema: Schema, tasks: int, auxiliary_tasks: int) -> None:
        super().__init__()
        self.trunk = Trunk(schema)
        widths = (self.trunk.request_width, self.trunk.item_width)
        self.heads = Heads(tasks, *widths)
        self.auxiliary = Heads(auxiliary_tasks, *widths) if auxiliary_tasks else None
        self.position = silent_embedding(SHOWN, tasks)

    def forward(self, inputs: tuple[Tensor, ...], position: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """(logits at the position shown, logits as served, auxiliary logits), each [candidates, tasks]."""
        hidden = self.trunk(inputs)
        logits = self.heads(*hidden)
        position = position.clamp(max=SHOWN)  # further down counts as last
        if self.training:
            position = position * (torch.rand(position.shape) >= POSITION_DROPOUT)
        auxiliary = self.auxiliary(*hidden) if self.auxiliary else None
        return logits + self.position(position), logits + self.position.weight[0], auxiliary
