"""One seed: every teacher policy and every technique through all periods."""

import numpy as np

from training.drift.measure import bias_figures, true_probabilities
from training.drift.periods import draw_drifting_world
from training.drift.scale import DriftScale
from training.drift.students import train_on
from training.drift.teachers import POLICIES, TeacherRoom
from training.drift.techniques import CONTROL, PLANS, TEACHER_TASKS
from training.evaluation.metrics import predict
from training.examples import music_examples
from training.features.music_inputs import MusicInputs
from training.features.teacher_view import music_view, video_view
from training.logs.video_log import TASKS
from training.progress import bar
from training.students.network import Student
from training.students.serving import ServingStudent
from training.teacher.zero_shot import teacher_logits

TEACHER = "teacher"
TEACHER_COLUMNS = [TASKS.index(task) for task in TEACHER_TASKS]


def arms() -> list[tuple[str, str]]:
    """(policy, technique) of every student; the control has no teacher and stands under the policy `none`."""
    return [("none", CONTROL)] + [(p, t) for p in POLICIES for t in PLANS if t != CONTROL]


def run_drift(seed: int, scale: DriftScale) -> dict[str, list[dict[str, float]]]:
    """`<policy>/<technique>` to one `bias_figures` a period; technique `teacher` is the teacher itself, run zero-shot
    on music. In period 0 the policies' teachers are one teacher, so their students are one student a technique."""
    world = draw_drifting_world(seed, scale)
    teachers = TeacherRoom(seed, scale, video_view(world.people, world.videos))
    view, inputs = (
        music_view(world.people, world.tracks),
        MusicInputs("home", world.people, world.listening, world.tracks),
    )
    students: dict[tuple[str, str], Student] = {}
    figures: dict[str, list[dict[str, float]]] = {}
    for number in bar(range(scale.periods), f"seed {seed} drift", "period"):
        period = world.period(number)
        asked = music_examples(period.asked, inputs)
        true = true_probabilities(period.truth, period.asked)
        policies = teachers.after(number, period)
        examples = {}
        for policy, teacher in policies.items():
            # Teachers that are one object label the log once.
            if id(teacher) not in examples:
                logits = teacher_logits(teacher, view, period.music_log)
                examples[id(teacher)] = music_examples(period.music_log, inputs, logits)
            said = teacher_logits(teacher, view, period.asked).reshape(len(true), -1)[:, TEACHER_COLUMNS]
            figures.setdefault(f"{policy}/{TEACHER}", []).append(
                bias_figures(1 / (1 + np.exp(-said)), true, asked.labels)
            )
        done: dict[tuple, Student] = {}
        for policy, name in arms():
            teacher, start = policies[POLICIES[0] if name == CONTROL else policy], students.get((policy, name))
            # Arms that share their past and their teacher are one student until they part.
            key = (name, id(start), id(teacher))
            if key not in done:
                done[key] = train_on(seed, number, scale, name, examples[id(teacher)], start)
            students[policy, name] = done[key]
            said = predict(ServingStudent(done[key]), asked)
            figures.setdefault(f"{policy}/{name}", []).append(bias_figures(said, true, asked.labels))
    return figures
