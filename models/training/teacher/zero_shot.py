"""Runs the teacher on music impressions it was never trained on: teacher labels."""

import numpy as np
import torch

from training.features.teacher_view import TeacherView
from training.logs.music_log import MusicLog
from training.teacher.network import Teacher


@torch.no_grad()
def teacher_logits(teacher: Teacher, view: TeacherView, log: MusicLog) -> np.ndarray:
    """Logits float32 [requests, SHOWN, TASKS] of the logged impressions, position missing."""
    shown = log.item.shape[1]
    user, seed, days_ago = (np.repeat(a, shown) for a in (log.user, log.seed, log.days_ago))
    logits = teacher(*view.inputs(user, log.item.ravel(), seed, days_ago))
    return logits.numpy().reshape(*log.item.shape, -1)
