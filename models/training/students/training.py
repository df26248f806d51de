"""Trains one student. Control and treated run the same code, the same data and the same stopping rule."""

import copy

import numpy as np
import torch
from torch import Tensor

from training.features.music_inputs import MusicInputs
from training.logs.music_log import SHOWN, SURFACE_TASKS, MusicLog
from training.progress import bar
from training.randomness import seed_torch
from training.students.network import Student
from training.students.plans import StudentPlan
from training.techniques import TECHNIQUES
from training.techniques.hard import hard_loss

BATCH_REQUESTS = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
VALIDATION_DAYS = 3
PATIENCE = 6


def _batch(inputs: MusicInputs, log: MusicLog, rows: np.ndarray) -> tuple[tuple[Tensor, ...], Tensor]:
    """The rows' ragged inputs and positions."""
    request_row = np.repeat(np.arange(len(rows)), SHOWN)
    tensors = inputs.gather(log.user[rows], log.seed[rows], log.days_ago[rows], log.item[rows].ravel(), request_row)
    return tensors, torch.arange(1, SHOWN + 1).repeat(len(rows))


def train_student(
    seed: int, plan: StudentPlan, epochs: int, inputs: MusicInputs, log: MusicLog, teacher_logits: np.ndarray
) -> Student:
    """Trains until the hard loss on the log's last days stops falling; keeps the best epoch.

    teacher_logits [requests, SHOWN, teacher tasks] belong to the log's impressions; a control never reads them.
    """
    seed_torch(seed, f"student {plan.surface}")
    technique = TECHNIQUES[plan.technique](plan.surface, plan.weight)
    student = Student(inputs.schema, len(SURFACE_TASKS[plan.surface]), len(technique.auxiliary_tasks))
    validation = np.flatnonzero(log.days_ago <= VALIDATION_DAYS)
    training = np.flatnonzero(log.days_ago > VALIDATION_DAYS)
    labels = torch.from_numpy(log.labels)
    soft = technique.prepare(labels.flatten(0, 1), torch.from_numpy(teacher_logits).flatten(0, 1))
    soft = soft.unflatten(0, labels.shape[:2])
    optimiser = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    shuffle = np.random.default_rng(seed)
    best, best_loss, waited = copy.deepcopy(student), float("inf"), 0
    for _ in (epochs_done := bar(range(epochs), f"seed {seed} {plan.name}", "epoch")):
        student.train()
        order = shuffle.permutation(training)
        for rows in np.split(order, range(BATCH_REQUESTS, len(order), BATCH_REQUESTS)):
            tensors, position = _batch(inputs, log, rows)
            logits = student(tensors, position)
            loss = technique.loss(*logits, labels[rows].flatten(0, 1), soft[rows].flatten(0, 1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        validated = _validate(student, inputs, log, validation)
        epochs_done.set_postfix(validation=f"{validated:.4f}")
        if validated < best_loss:
            best, best_loss, waited = copy.deepcopy(student), validated, 0
        elif (waited := waited + 1) >= PATIENCE:
            break
    return best.eval()


@torch.no_grad()
def _validate(student: Student, inputs: MusicInputs, log: MusicLog, rows: np.ndarray) -> float:
    student.eval()
    tensors, position = _batch(inputs, log, rows)
    shown, _, _ = student(tensors, position)
    return float(hard_loss(shown, torch.from_numpy(log.labels[rows]).flatten(0, 1)))
