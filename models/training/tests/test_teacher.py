"""The teacher is zero-shot: music reaches it only after it is done learning."""

from dataclasses import replace

import torch
from conftest import SEED, TINY

from training.features.teacher_view import music_view, video_view
from training.logs.video_log import draw_video_log
from training.teacher.training import train_teacher
from training.teacher.zero_shot import teacher_logits
from training.world.simulation import draw_world


def test_no_music_row_moves_a_weight_of_the_teacher(teacher):
    other = replace(TINY, home_requests=7, radio_requests=9, tracks=123, artists=5)
    world = draw_world(SEED, other)
    log = draw_video_log(SEED, other, world.people, world.video_truth)
    again, _ = train_teacher(SEED, 1, video_view(world.people, world.videos), log)
    for name, weight in teacher.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_teacher_labels_do_not_look_at_music_outcomes(world, teacher, labels):
    log = world.logs["radio"]
    flipped = replace(log, labels=1 - log.labels)
    view = music_view(world.people, world.tracks)
    assert (teacher_logits(teacher, view, flipped) == labels["radio"]).all()
