"""One student as two graphs: what depends on the item alone, once an item; the rest, once a candidate.

A request of 200 candidates is small: the request graph's time goes into passes over memory as much as into products.
So an item's row is gathered in chunks, its first layer straight to where it is added (cutting it out of whole rows took
10 % of the time), what is linear in the request is one matrix, and no expert's answer is moved or weighed before its
heads have made it one number a task.
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
        self.encoder = student.trunk.encoders["item"]
        self.row_width = (FIRST + 1) * CHUNK
        self.joined = _stacked(student.trunk.experts.item, student.heads.item_gate, width=self.row_width)

    def forward(self, *inputs: Tensor) -> Tensor:
        """[items, row_width] float32 from numbers [items, n] float32 and indices [items, m] int32."""
        return self.joined(self.encoder(*inputs))


class RequestGraph(nn.Module):
    """The other inputs in the schema's order, `item_rows`, `item_row` and `request_row` to probabilities."""

    def __init__(self, student: ServingStudent, schema: Schema) -> None:
        super().__init__()
        experts, heads = student.trunk.experts, student.heads
        self.names = request_inputs(schema)
        self.encoders = nn.ModuleDict({e: m for e, m in student.trunk.encoders.items() if e != "item"})
        self.request, self.product = _stacked(experts.request, heads.request_gate), experts.product
        self.second, self.second_bias = experts.second, experts.second_bias
        self.weight, self.bias = nn.Parameter(heads.weight.T.contiguous()), heads.bias
        first, gates = EXPERTS * HIDDEN[0], heads.tasks * EXPERTS
        self.widths = (first, FACTORS, gates)
        self.register_buffer("chunk", torch.arange(FIRST, dtype=torch.int32))
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
        by_expert = first.unflatten(1, (EXPERTS, HIDDEN[0])).transpose(0, 1)
        second = torch.relu(torch.bmm(by_expert, self.second) + self.second_bias)
        said = (second @ self.weight).permute(1, 2, 0).flatten(1)
        weights = torch.exp((request_gates + item_gates).clamp(-GATE_MAX, GATE_MAX))
        return torch.sigmoid((weights * said) @ self.of_task / (weights @ self.of_task) + self.bias)


def _stacked(*layers: nn.Linear, width: int | None = None) -> nn.Linear:
    """One layer that answers what these answer, side by side, and zeros up to `width`."""
    answered = sum(layer.out_features for layer in layers)
    stacked = nn.Linear(layers[0].in_features, width or answered)
    biases = [torch.zeros(layer.out_features) if layer.bias is None else layer.bias for layer in layers]
    with torch.no_grad():
        stacked.weight.zero_()
        stacked.bias.zero_()
        stacked.weight[:answered] = torch.cat([layer.weight for layer in layers])
        stacked.bias[:answered] = torch.cat(biases)
    return stacked


def item_inputs(schema: Schema) -> list[str]:
    """Names of the item graph's inputs, in its order."""
    return [i.name for i in schema.inputs if i.entity == "item"]


def request_inputs(schema: Schema) -> list[str]:
    """Names of the user and context inputs, in the request graph's order."""
    return [i.name for i in schema.inputs if i.entity != "item"]
