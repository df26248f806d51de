"""Requests that nobody made: a random listener, and tracks from anywhere in the catalogue, without outcomes."""

from dataclasses import replace

import numpy as np

from training.examples import Examples, music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view
from training.logs.music_log import SHOWN, SURFACE_TASKS, MusicLog, draw_seeds
from training.randomness import stream
from training.teacher.network import Teacher
from training.teacher.zero_shot import teacher_logits
from training.world.simulation import World

# As the log's last day saw them: what came out since is not there yet.
DAYS_AGO = 1


def draw_unlabelled(seed: int, surface: str, requests: int, world: World) -> MusicLog:
    """Uniform listeners and uniform tracks, new releases among them; every label is NaN."""
    rng = stream(seed, f"unlabelled {surface}")
    user = rng.integers(len(world.listening.tracks), size=requests).astype(np.int32)
    released = np.flatnonzero(world.tracks.age_days >= DAYS_AGO)
    item = rng.choice(released, size=(requests, SHOWN)).astype(np.int32)
    radio = surface == "radio"
    seeds = draw_seeds(rng, world.tracks, world.listening, user) if radio else np.full(requests, -1, np.int32)
    labels = np.full((requests, SHOWN, len(SURFACE_TASKS[surface])), np.nan, np.float32)
    return MusicLog(surface, user, seeds, np.full(requests, DAYS_AGO, np.int32), item, labels)


def unlabelled_examples(log: MusicLog, inputs: MusicInputs, teacher: Teacher, world: World) -> Examples:
    """With the teacher's labels, no position, and nothing held back."""
    logits = teacher_logits(teacher, music_view(world.people, world.tracks), log)
    examples = music_examples(log, inputs, logits)
    return replace(examples, position=np.zeros_like(examples.position), validation=np.zeros(len(examples), dtype=bool))
