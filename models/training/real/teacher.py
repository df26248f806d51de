"""The movie teacher. It sees only what both domains share, so that it can be asked about artists as it stands."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from training.progress import bar
from training.randomness import seed_torch
from training.real.requests import Requests
from training.real.statistics import Statistics

TASKS = ("rated", "rated_4_or_more", "tagged_movie")
# Declared before any training: which of the artists' proxies each task of the teacher's stands for.
MAPPING = {"listened": "rated", "heavy_listen": "rated_4_or_more", "tagged": "tagged_movie"}
# Input of the teacher: what it is on movies, what it is on artists.
INPUTS = {
    "popularity": ("percentile of observed raters", "percentile of observed listeners"),
    "activity": ("percentile of the user's observed ratings", "percentile of the user's observed artists"),
    "user profile x item profile": (
        "shared words of tags and genres, user's observed movies x movie",
        "shared words of tags, user's observed artists x artist",
    ),
    "affinity": ("sum of the product", "sum of the product"),
    "profile known": ("whether user and movie have any shared word", "whether user and artist have any shared word"),
}
HIDDEN = (64, 32)
BATCH, EPOCHS, LEARNING_RATE = 1_024, 10, 3e-3


def teacher_inputs(statistics: Statistics, requests: Requests) -> Tensor:
    """[candidates, 5 + shared tags] float32, in the order of INPUTS; the same on both domains."""
    user, item = requests.user[requests.request_row], requests.item
    of_user, of_item = statistics.user_profile[user], statistics.item_profile[item]
    product = of_user * of_item
    columns = [
        statistics.popularity[item],
        statistics.activity[user],
        product.sum(axis=1),
        of_user.any(axis=1),
        of_item.any(axis=1),
    ]
    return torch.from_numpy(np.column_stack([*columns, product]).astype(np.float32))


def train_teacher(seed: int, statistics: Statistics, requests: Requests) -> nn.Sequential:
    """Trains on labelled movie requests for a fixed number of epochs; NaN labels teach nothing."""
    seed_torch(seed, "movie teacher")
    inputs, labels = teacher_inputs(statistics, requests), torch.from_numpy(requests.labels)
    teacher = nn.Sequential(
        nn.Linear(inputs.shape[1], HIDDEN[0]),
        nn.ReLU(),
        nn.Linear(HIDDEN[0], HIDDEN[1]),
        nn.ReLU(),
        nn.Linear(HIDDEN[1], len(TASKS)),
    )
    optimiser = torch.optim.AdamW(teacher.parameters(), lr=LEARNING_RATE)
    for _ in bar(range(EPOCHS), f"seed {seed} movie teacher", "epoch"):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            known = ~torch.isnan(labels[rows])
            loss = binary_cross_entropy_with_logits(teacher(inputs[rows])[known], labels[rows][known])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return teacher.eval()


@torch.no_grad()
def teacher_logits(teacher: nn.Sequential, statistics: Statistics, requests: Requests) -> np.ndarray:
    """[candidates, TASKS] float32."""
    return teacher(teacher_inputs(statistics, requests)).numpy()
