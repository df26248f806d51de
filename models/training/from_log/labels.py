"""Outcomes as labels a student can learn from, and the teacher's probabilities as logits."""

import numpy as np

from training.refusal import RefusedError

# The nearest float32 to 1 below it is 1 - 6e-8; a probability nearer to 0 or 1 than this has no logit worth keeping.
PROBABILITY_MIN = 1e-6


def logits(tasks: tuple[str, ...], probabilities: np.ndarray) -> np.ndarray:
    """float32 logits of probabilities [items, tasks], clipped at PROBABILITY_MIN and 1 - PROBABILITY_MIN; NaN stays
    NaN."""
    wrong = np.argwhere((probabilities < 0) | (probabilities > 1))
    if len(wrong):
        row, task = wrong[0]
        found = probabilities[row, task]
        raise RefusedError(f'teacher task "{tasks[task]}": expected labels in [0, 1], found {found}')
    clipped = np.clip(probabilities.astype(np.float64), PROBABILITY_MIN, 1 - PROBABILITY_MIN)
    return (np.log(clipped) - np.log1p(-clipped)).astype(np.float32)


def check_teacher_tasks(tasks: tuple[str, ...], teacher: np.ndarray) -> None:
    """Refuses a task of the teacher's without any label [items, tasks] among what is learnt from."""
    for task, known in zip(tasks, (~np.isnan(teacher)).any(axis=0), strict=True):
        if not known:
            raise RefusedError(f'teacher task "{task}": no item that is learnt from has a label of it')


def check_labels(part: str, tasks: tuple[str, ...], labels: np.ndarray) -> None:
    """Refuses a task of which every label [items, tasks] is the same: nothing can be learnt of it or measured."""
    for k, task in enumerate(tasks):
        seen = labels[~np.isnan(labels[:, k]), k]
        if len(seen) == 0 or seen.min() == seen.max():
            found = f"all of {len(seen)} are {seen[0]:.0f}" if len(seen) else "none"
            raise RefusedError(f'task "{task}": the {part} part should have labels of both classes, found {found}')
