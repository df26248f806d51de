"""Trains one student. Control and treated run the same code, the same data and the same stopping rule."""

import copy

import numpy as np
import torch

from training.examples import Batch, Examples
from training.progress import bar
from training.randomness import seed_torch
from training.students.network import Student
from training.students.plans import StudentPlan
from training.techniques import technique_of
from training.techniques.hard import hard_loss

BATCH_REQUESTS = 64
LEARNING_RATE = 2e-3
# Of the item tower's hidden layer: at the full rate controls lost 0.5 points of AUC to a student without it.
SLOW = 0.02
WEIGHT_DECAY = 1e-2
PATIENCE = 6


def train_student(seed: int, plan: StudentPlan, epochs: int, examples: Examples) -> Student:
    """Trains until the hard loss on the requests held back stops falling; keeps the best epoch.

    A control never reads the teacher labels. Raises a ValueError, before training, for a plan or for examples that
    cannot be trained on.
    """
    technique = technique_of(plan, examples.tasks, examples.teacher_tasks)
    examples.check()
    seed_torch(seed, f"student {plan.surface}")
    student = Student(examples.schema, len(examples.tasks), len(technique.auxiliary_tasks))
    validation = examples.batch(np.flatnonzero(examples.validation))
    training = np.flatnonzero(~examples.validation)
    soft = technique.prepare(torch.from_numpy(examples.labels), torch.from_numpy(examples.teacher))
    slow = student.trunk.experts.item.slow()
    others = [p for p in student.parameters() if all(p is not s for s in slow)]
    groups = [{"params": others}, {"params": slow, "lr": SLOW * LEARNING_RATE}]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    shuffle = np.random.default_rng(seed)
    best, best_loss, waited = copy.deepcopy(student), float("inf"), 0
    for _ in (epochs_done := bar(range(epochs), f"seed {seed} {plan.name}", "epoch")):
        student.train()
        order = shuffle.permutation(training)
        for rows in np.split(order, range(BATCH_REQUESTS, len(order), BATCH_REQUESTS)):
            batch = examples.batch(rows)
            logits = student(batch.inputs, batch.position)
            loss = technique.loss(*logits, batch, soft[batch.candidate])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        validated = _validate(student, validation)
        epochs_done.set_postfix(validation=f"{validated:.4f}")
        if validated < best_loss:
            best, best_loss, waited = copy.deepcopy(student), validated, 0
        elif (waited := waited + 1) >= PATIENCE:
            break
    return best.eval()


@torch.no_grad()
def _validate(student: Student, batch: Batch) -> float:
    student.eval()
    shown, _, _ = student(batch.inputs, batch.position)
    return float(hard_loss(shown, batch))
