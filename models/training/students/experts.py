"""Multi-gate mixture of experts (Ma et al., KDD 2018, DOI 10.1145/3219819.3220007), split by entity.

The first layer is linear in the request and the item, so the request's part is computed once a request and
gathered for each candidate.
"""

import torch
from torch import Tensor, nn

EXPERTS = 4
HIDDEN = (32, 16)
FACTORS = 32
ITEM_HIDDEN = 256
ITEM_DROPOUT = 0.2


class ItemTower(nn.Module):
    """A linear layer and, beside it, a hidden one: what serving computes once an item may be as wide as it likes.

    The hidden layer is silent at first and learns slowly (see `slow`): a log this small is soon known by heart.
    """

    def __init__(self, item_width: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Linear(item_width, out)
        self.hidden = nn.Linear(item_width, ITEM_HIDDEN)
        self.deep = nn.Linear(ITEM_HIDDEN, out, bias=False)
        nn.init.zeros_(self.deep.weight)
        self.dropout = nn.Dropout(ITEM_DROPOUT)

    def forward(self, item: Tensor) -> Tensor:
        """[candidates, out] from [candidates, item_width]."""
        return self.linear(item) + self.deep(self.dropout(torch.relu(self.hidden(item))))

    def slow(self) -> list[nn.Parameter]:
        """What is to be trained at a lower rate."""
        return list(self.hidden.parameters())


class Experts(nn.Module):
    """Four experts (32, 16) over request, item, and the product of their factors."""

    def __init__(self, request_width: int, item_width: int) -> None:
        super().__init__()
        first = EXPERTS * HIDDEN[0]
        self.request = nn.Linear(request_width, first + FACTORS)
        self.item = ItemTower(item_width, first + FACTORS)
        self.product = nn.Linear(FACTORS, first, bias=False)
        bound = HIDDEN[0] ** -0.5
        self.second = nn.Parameter(torch.empty(EXPERTS, HIDDEN[0], HIDDEN[1]).uniform_(-bound, bound))
        self.second_bias = nn.Parameter(torch.zeros(EXPERTS, 1, HIDDEN[1]))

    def forward(self, request: Tensor, item: Tensor, request_row: Tensor) -> Tensor:
        """[candidates, EXPERTS, 16] from request [requests, r], item [candidates, i] and int64 request_row."""
        return self.joined(self.request(request).index_select(0, request_row), self.item(item))

    def joined(self, of_request: Tensor, of_item: Tensor) -> Tensor:
        """The same from both first layers, each [candidates, EXPERTS x 32 + FACTORS]."""
        product = of_request[:, -FACTORS:] * of_item[:, -FACTORS:]
        first = torch.relu(of_request[:, :-FACTORS] + of_item[:, :-FACTORS] + self.product(product))
        by_expert = first.unflatten(1, (EXPERTS, HIDDEN[0])).transpose(0, 1)
        return torch.relu(torch.bmm(by_expert, self.second) + self.second_bias).transpose(0, 1)


class Heads(nn.Module):
    """One gate and one linear head a task."""

    def __init__(self, tasks: int, request_width: int, item_width: int) -> None:
        super().__init__()
        self.tasks = tasks
        self.request_gate = nn.Linear(request_width, tasks * EXPERTS)
        self.item_gate = nn.Linear(item_width, tasks * EXPERTS, bias=False)
        bound = HIDDEN[1] ** -0.5
        self.weight = nn.Parameter(torch.empty(tasks, HIDDEN[1]).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(tasks))

    def forward(self, experts: Tensor, request: Tensor, item: Tensor, request_row: Tensor) -> Tensor:
        """Logits [candidates, tasks]."""
        return self.joined(experts, self.request_gate(request).index_select(0, request_row) + self.item_gate(item))

    def joined(self, experts: Tensor, gates: Tensor) -> Tensor:
        """The same from the gates' logits [candidates, tasks x EXPERTS]."""
        gates = torch.softmax(gates.unflatten(1, (self.tasks, EXPERTS)), dim=-1)
        return (torch.bmm(gates, experts) * self.weight).sum(dim=-1) + self.bias
