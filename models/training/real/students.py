"""Artist students: plans of the recipe's own techniques at the recipe's own weights, and the examples they share."""

import numpy as np

from training.examples import Examples
from training.real.artist_inputs import ArtistInputs
from training.real.requests import Requests
from training.real.teacher import MAPPING
from training.real.teacher import TASKS as TEACHER_TASKS
from training.students.plans import StudentPlan

TASKS = tuple(MAPPING)
SURFACE = "artists"
# Ten updates of 64 requests: at a small share an epoch shows each labelled request several times, to all students
# alike, or the stopping rule would look after every update.
EPOCH_REQUESTS = 640
EPOCHS = 10

CONTROL = StudentPlan("control", SURFACE, "none", "Listening and tagging proxies alone.")
_DIRECT = {"weight": 4.0, "tasks": dict(MAPPING)}
TREATED = (
    StudentPlan("direct", SURFACE, "direct", "Serving logits also learn from the movie teacher.", _DIRECT),
    StudentPlan(
        "auxiliary",
        SURFACE,
        "auxiliary",
        "Heads that are never served learn from the movie teacher.",
        {"weight": 6.0, "tasks": TEACHER_TASKS},
    ),
    StudentPlan(
        "augmentation", SURFACE, "direct", "Direct, on unlabelled requests of every training user too.", _DIRECT
    ),
)
UNLABELLED_TOO = frozenset({"augmentation"})


def artist_examples(inputs: ArtistInputs, requests: Requests, teacher: np.ndarray, held_back: bool) -> Examples:
    """Requests as examples. teacher [candidates, TEACHER_TASKS] logits; nobody saw a list, so no position is known."""
    arrays = inputs.gather(requests)
    names = [i.name for i in inputs.schema.inputs]
    return Examples(
        inputs.schema,
        TASKS,
        TEACHER_TASKS,
        {n: a for n, a in zip(names, arrays, strict=True) if not n.startswith("item")},
        {n: a for n, a in zip(names, arrays, strict=True) if n.startswith("item")},
        requests.start.astype(np.int64),
        np.zeros(len(requests.item), np.int64),
        requests.labels,
        teacher.astype(np.float32),
        np.ones(len(requests.user), np.float32),
        np.full(len(requests.user), held_back),
    )


def filled_epoch(training: Examples) -> Examples:
    """The same requests over and over until an epoch has EPOCH_REQUESTS of them; more are left as they are."""
    return training.take(np.tile(np.arange(len(training)), -(-EPOCH_REQUESTS // len(training))))
