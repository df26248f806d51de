"""What the video teacher reads of an impression."""

import torch

from training.features.mapping import TeacherInput
from training.world.space import WIDTH

# The order is that of the teacher's forward. A taste, content or seed of zeros is that of nobody and nothing; the
# missing popularity is the middle rank, the missing age that of half a year.
TEACHER_INPUTS = (
    TeacherInput("taste", WIDTH, torch.float32, 0.0, required=True),
    TeacherInput("content", WIDTH, torch.float32, 0.0, required=True),
    TeacherInput("seed", WIDTH, torch.float32, 0.0, required=True),
    TeacherInput("popularity", 1, torch.float32, 0.5, required=True),
    TeacherInput("age", 1, torch.float32, 0.65, required=True),
    TeacherInput("length", 1, torch.float32, 0.0, required=False),
    TeacherInput("maker", 1, torch.int32, 0, required=False),
    TeacherInput("position", 1, torch.int32, 0, required=False),
)
MISSING = {i.name: i.missing for i in TEACHER_INPUTS}
OWN = ("length", "maker")
SHARED = ("taste", "content", "seed", "popularity", "age")
