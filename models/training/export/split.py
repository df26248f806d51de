"""One student as two graphs: what depends on the item alone, once an item; the rest, once a candidate."""

import torch
from torch import Tensor, nn

from training.features.schema import Schema
from training.students.serving import ServingStudent

ITEM_ROWS = "item_rows"
ITEM_ROW = "item_row"


class ItemGraph(nn.Module):
    """Item inputs, in the schema's order, to `item_rows` [items, row_width]: first layers of experts, then of gates."""

    def __init__(self, student: ServingStudent) -> None:
        super().__init__()
        self.encoder = student.trunk.encoders["item"]
        self.experts, self.gate = student.trunk.experts.item, student.heads.item_gate
        self.row_width = self.experts.out_features + self.gate.out_features

    def forward(self, *inputs: Tensor) -> Tensor:
        """[items, row_width] float32 from numbers [items, n] float32 and indices [items, m] int32."""
        item = self.encoder(*inputs)
        return torch.cat([self.experts(item), self.gate(item)], dim=1)


class RequestGraph(nn.Module):
    """The other inputs in the schema's order, `item_rows`, `item_row` and `request_row` to probabilities."""

    def __init__(self, student: ServingStudent, schema: Schema) -> None:
        super().__init__()
        self.names = request_inputs(schema)
        self.encoders = nn.ModuleDict({e: m for e, m in student.trunk.encoders.items() if e != "item"})
        self.experts, self.heads = student.trunk.experts, student.heads
        self.first = self.experts.item.out_features

    def forward(self, *inputs: Tensor) -> Tensor:
        """[candidates, tasks] float32; item_rows [slab_rows, row_width] float32, both rows int32 [candidates]."""
        *tensors, item_rows, item_row, request_row = inputs
        named = dict(zip(self.names, tensors, strict=True))
        encoded = [e(named[f"{name}_numbers"], named[f"{name}_indices"]) for name, e in self.encoders.items()]
        request, of_item, row = torch.cat(encoded, dim=1), item_rows[item_row.long()], request_row.long()
        experts = self.experts.joined(self.experts.request(request)[row], of_item[:, : self.first])
        gates = self.heads.request_gate(request)[row] + of_item[:, self.first :]
        return torch.sigmoid(self.heads.joined(experts, gates))


def item_inputs(schema: Schema) -> list[str]:
    """Names of the item graph's inputs, in its order."""
    return [i.name for i in schema.inputs if i.entity == "item"]


def request_inputs(schema: Schema) -> list[str]:
    """Names of the user and context inputs, in the request graph's order."""
    return [i.name for i in schema.inputs if i.entity != "item"]
