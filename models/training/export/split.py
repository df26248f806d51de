"""One student as two graphs: what depends on the item alone, once an item; the rest, once a candidate.

A request of 200 candidates is small: the request graph's time goes into passes over memory as much as into products.
So an item's row is gathered in chunks, its first layer straight to where it is added (cutting it out of whole rows took
10 % of the time), what is linear in the request is one matrix, and no expert's answer is weighed before its heads have
made it one number a task.
"""

import torch
from torch import Tensor, nn

from training.features.schema import Schema
from training.students.experts import EXPERTS, FACTORS, HIDDEN
from training.students.serving import ServingStudent

ITEM_ROWS = "item_rows"
ITEM_ROW = "item_row"
# Past this a gate's exponential would leave float32; a gate so far from the others has all or nothing of the weight.
GATE_MAX = 60.0
# An item's row is its experts' first layers, in whole chunks, and one more of factors, gates and padding.
CHUNK = 64
FIRST = EXPERTS * HIDDEN[0] // CHUNK


class ItemGraph(nn.Module):
    """Item inputs, in the schema's order, to `item_rows` [items, row_width]: experts' first layers, factors, gates."""

    def __init__(self, student: ServingStudent) -> None:
        super().__init__()
        self.row_width = (FIRST + 1) * CHUNK
        self.encoder = student.trunk.encoders["item"]
        self.experts, self.gate = student.trunk.experts.item, student.heads.item_gate
        self.padding = self.row_width - EXPERTS * HIDDEN[0] - FACTORS - self.gate.out_features

    def forward(self, *inputs: Tensor) -> Tensor:
        """[items, row_width] float32 from numbers [items, n] float32 and indices [items, m] int32."""
        item = self.encoder(*inputs)
        return nn.functional.pad(torch.cat([self.experts(item), self.gate(item)], dim=1), (0, self.padding))


class RequestGraph(nn.Module):
    """The other inputs in the schema's order, `item_rows`, `item_row` and `request_row` to probabilities."""

    def __init__(self, student: ServingStudent, schema: Schema) -> None:
        super().__init__()
        experts, heads = student.trunk.experts, student.heads
        self.names = request_inputs(schema)
        self.encoders = nn.ModuleDict({e: m for e, m in student.trunk.encoders.items() if e != "item"})
        self.request, self.product = _stacked(experts.request, heads.request_gate), experts.product
        first, gates = EXPERTS * HIDDEN[0], heads.tasks * EXPERTS
        self.widths = (first, FACTORS, gates)
        self.register_buffer("chunk", torch.arange(FIRST, dtype=torch.int32))
        # Every expert's layer in one matrix, with zeros between them: for layers this narrow a few times the
        # arithmetic costs less than products by expert, with their rows moved there and back.
        self.register_buffer("second", torch.block_diag(*experts.second.detach()))
        self.register_buffer("second_bias", experts.second_bias.detach().flatten())
        heads_of_expert = heads.weight.detach().T.unsqueeze(2) * torch.eye(EXPERTS).unsqueeze(1).unsqueeze(1)
        self.register_buffer("said", heads_of_expert.reshape(EXPERTS * HIDDEN[1], gates))
        self.register_buffer("bias", heads.bias.detach())
        # Sums a task's four gates, [tasks x EXPERTS, tasks]: a product is cheaper here than a reduction over 4 columns.
        self.register_buffer("of_task", torch.eye(heads.tasks).repeat_interleave(EXPERTS, dim=0))

    def forward(self, *inputs: Tensor) -> Tensor:
        """[candidates, tasks] float32; item_rows [slab_rows, row_width] float32, both rows int32 [candidates]."""
        *tensors, item_rows, item_row, request_row = inputs
        named = dict(zip(self.names, tensors, strict=True))
        encoded = [e(named[f"{name}_numbers"], named[f"{name}_indices"]) for name, e in self.encoders.items()]
        of_request = self.request(torch.cat(encoded, dim=1)).split(self.widths, dim=1)
        request_first, request_factors, request_gates = (
            part.contiguous().index_select(0, request_row) for part in of_request
        )
        chunks, at = item_rows.reshape(-1, CHUNK), item_row * (FIRST + 1)
        item_first = chunks.index_select(0, (at.unsqueeze(1) + self.chunk).flatten()).reshape(-1, FIRST * CHUNK)
        item_factors, item_gates, _ = chunks.index_select(0, at + FIRST).split(
            (FACTORS, self.widths[2], CHUNK - FACTORS - self.widths[2]), dim=1
        )
        product = (request_factors * item_factors) @ self.product.weight.T
        first = torch.relu(product + (request_first + item_first))
        second = torch.relu(torch.addmm(self.second_bias, first, self.second))
        weights = torch.exp((request_gates + item_gates).clamp(-GATE_MAX, GATE_MAX))
        said = weights * (second @ self.said)
        return torch.sigmoid(said @ self.of_task / (weights @ self.of_task) + self.bias)


def _stacked(*layers: nn.Linear) -> nn.Linear:
    """One layer that answers what these answer, side by side."""
    stacked = nn.Linear(layers[0].in_features, sum(layer.out_features for layer in layers))
    biases = [torch.zeros(layer.out_features) if layer.bias is None else layer.bias for layer in layers]
    with torch.no_grad():
        stacked.weight.copy_(torch.cat([layer.weight for layer in layers]))
        stacked.bias.copy_(torch.cat(biases))
    return stacked


def item_inputs(schema: Schema) -> list[str]:
    """Names of the item graph's inputs, in its order."""
    return [i.name for i in schema.inputs if i.entity == "item"]


def request_inputs(schema: Schema) -> list[str]:
    """Names of the user and context inputs, in the request graph's order."""
    return [i.name for i in schema.inputs if i.entity != "item"]
