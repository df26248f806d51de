"""Trains the teacher on the video log; there is no argument through which a music row could come in."""

import copy

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from training.features.teacher_view import TeacherView
from training.logs.video_log import TASKS, VideoLog
from training.progress import bar
from training.randomness import seed_torch
from training.teacher.network import Teacher
from training.teacher.plan import TEACHER_PLAN, TeacherPlan

LEARNING_RATE = 3e-3
HELD_OUT_SHARE = 0.01


def _logits(teacher: Teacher, view: TeacherView, log: VideoLog, rows: np.ndarray) -> Tensor:
    today = np.zeros(len(rows), np.int32)
    return teacher(*view.inputs(log.user[rows], log.item[rows], log.seed[rows], today, log.position[rows]))


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the labels that exist (NaN marks those that do not)."""
    known = ~torch.isnan(labels)
    return binary_cross_entropy_with_logits(logits[known], labels[known])


def train_teacher(
    seed: int,
    epochs: int,
    view: TeacherView,
    log: VideoLog,
    start: Teacher | None = None,
    plan: TeacherPlan = TEACHER_PLAN,
) -> tuple[Teacher, dict[str, float]]:
    """Trains on all but a held-out share of the video log; returns the teacher and its AUC a task there.

    `start`, an earlier teacher, is left as it is and its copy is trained on; without it a new one of
    this plan is.
    """
    seed_torch(seed, "teacher")
    teacher = copy.deepcopy(start).train() if start else Teacher(int(view.items.maker.max()) + 1, plan)
    order = torch.randperm(len(log)).numpy()
    held_out, training = np.split(order, [int(HELD_OUT_SHARE * len(order))])
    optimiser = torch.optim.Adam(teacher.parameters(), lr=LEARNING_RATE)
    steps = epochs * -(-len(training) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    batches = (b for _ in range(epochs) for b in np.split(training, range(plan.batch, len(training), plan.batch)))
    for rows in bar(batches, f"seed {seed} teacher", "batch", steps):
        loss = _loss(_logits(teacher, view, log, rows), torch.from_numpy(log.labels[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    teacher.eval()
    return teacher, _auc(teacher, view, log, held_out)


def _auc(teacher: Teacher, view: TeacherView, log: VideoLog, rows: np.ndarray) -> dict[str, float]:
    """AUC a task; the watch fraction counts as watched when above a half."""
    with torch.no_grad():
        logits = _logits(teacher, view, log, rows).numpy()
    labels = log.labels[rows]
    return {
        task: float(roc_auc_score(labels[known, t] > 0.5, logits[known, t]))
        for t, task in enumerate(TASKS)
        for known in [~np.isnan(labels[:, t])]
    }
