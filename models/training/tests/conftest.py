"""One tiny world, one briefly trained teacher and the students' inputs, shared by all tests."""

from dataclasses import replace

import pytest

from training import scale
from training.examples import music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view, video_view
from training.logs.music_log import SURFACE_TASKS
from training.logs.video_log import draw_video_log
from training.randomness import fix_threads
from training.students.plans import PLANS
from training.students.serving import ServingStudent
from training.students.training import train_student
from training.teacher.training import train_teacher
from training.teacher.zero_shot import teacher_logits
from training.world.simulation import draw_world

SEED = 11
TINY = replace(scale.TINY, home_requests=60, radio_requests=60, held_out_requests=100, student_epochs=1)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """As in every process that trains: whichever test comes first, the bits are the same."""
    fix_threads()


@pytest.fixture(scope="session")
def world():
    return draw_world(SEED, TINY)


@pytest.fixture(scope="session")
def teacher(world):
    log = draw_video_log(SEED, TINY, world.people, world.video_truth)
    return train_teacher(SEED, 1, video_view(world.people, world.videos), log)[0]


@pytest.fixture(scope="session")
def labels(world, teacher):
    """Teacher labels of each surface's log."""
    view = music_view(world.people, world.tracks)
    return {s: teacher_logits(teacher, view, world.logs[s]) for s in SURFACE_TASKS}


@pytest.fixture(scope="session")
def inputs(world):
    return {s: MusicInputs(s, world.people, world.listening, world.tracks) for s in SURFACE_TASKS}


@pytest.fixture(scope="session")
def examples(world, labels, inputs):
    """Each surface's log with its teacher labels."""
    return {s: music_examples(world.logs[s], inputs[s], labels[s]) for s in SURFACE_TASKS}


@pytest.fixture(scope="session")
def trained(examples):
    """Every plan's student as training left it, auxiliary head and position tower included."""
    return {p.name: train_student(SEED, p, 1, examples[p.surface]) for p in PLANS}


@pytest.fixture(scope="session")
def served(trained):
    return {name: ServingStudent(student) for name, student in trained.items()}
