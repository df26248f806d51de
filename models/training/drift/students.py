"""A student that is trained on, period after period, on the newest log alone."""

import copy

import numpy as np
import torch

from training.drift.scale import DriftScale
from training.drift.techniques import technique
from training.examples import Examples
from training.randomness import seed_torch, stream
from training.students.network import Student
from training.students.training import BATCH_REQUESTS, LEARNING_RATE, WEIGHT_DECAY


def train_on(
    seed: int, number: int, scale: DriftScale, name: str, examples: Examples, start: Student | None
) -> Student:
    """The student after period `number`: `start` (left as it is) trained on over that period's examples, or, in period
    0, a new one. `name` is a technique's. The number of passes is fixed, and all requests are learned from: a rule
    that stops on hard loss would hide what the soft loss does.
    """
    how = technique(name, examples)
    examples.check()
    seed_torch(seed, f"drift student {number}")
    student = copy.deepcopy(start) if start else Student(examples.schema, len(examples.tasks), len(how.auxiliary_tasks))
    soft = how.prepare(torch.from_numpy(examples.labels), torch.from_numpy(examples.teacher))
    optimiser = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    shuffle = stream(seed, f"drift shuffle {number}")
    student.train()
    for _ in range(scale.update_epochs if start else scale.epochs):
        order = shuffle.permutation(len(examples))
        for rows in np.split(order, range(BATCH_REQUESTS, len(order), BATCH_REQUESTS)):
            batch = examples.batch(rows)
            loss = how.loss(*student(batch.inputs, batch.position), batch, soft[batch.candidate])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return student.eval()
