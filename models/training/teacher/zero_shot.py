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
    item = log.item.ravel()
    rows, seeds = torch.from_numpy(item).long(), torch.from_numpy(seed).long()
    logits = teacher(
        view.taste[torch.from_numpy(user).long()],
        view.content[rows],
        view.item_numbers(item, days_ago),
        view.content[seeds.clamp(min=0)],
        (seeds >= 0).float(),
        view.length[rows],
        view.maker[rows],
        torch.full((len(item),), float(view.has_own)),
        torch.zeros(len(item), dtype=torch.int32),
    )
    return logits.numpy().reshape(*log.item.shape, -1)
