"""One seed: hides each input that music can give, at label time, from teachers trained with and without dropout."""

import numpy as np
from sklearn.metrics import roc_auc_score

from training.features.teacher_inputs import SHARED
from training.logs.music_log import SURFACE_TASKS
from training.logs.video_log import TASKS
from training.progress import bar
from training.scale import Scale
from training.teacher.network import Teacher
from training.teacher.plan import TeacherPlan
from training.teacher_search.bench import TASKS as DISTILLED
from training.teacher_search.bench import Bench
from training.teacher_search.scale import BATCH

NOTHING = "nothing"
DROPOUTS = {
    "none": TeacherPlan(own_dropout=0.0, batch=BATCH),
    "video's own": TeacherPlan(batch=BATCH),
    "every input": TeacherPlan(shared_dropout=0.1, batch=BATCH),
}
# Surface and its task, and the teacher's task whose labels order the surface's impressions.
MEASURED = {
    "home/click": ("home", "click", "click"),
    "home/completion": ("home", "completion", "watch_fraction"),
    "home/like": ("home", "like", "like"),
    "radio/completion": ("radio", "completion", "watch_next"),
}
# Home requests have no seed: hiding it changes no label there, and no student.
STUDENTS = (NOTHING, *(name for name in SHARED if name != "seed"))


def measure(seed: int, scale: Scale) -> dict:
    """{"seed", "control": AUC a task, "arms": dropout to {"video": AUC a task, "teacher": hidden to AUC a measured
    task, "gain": hidden to the student's gain a task}}."""
    bench = Bench(seed, scale)
    arms = {}
    for name, plan in bar(DROPOUTS.items(), f"seed {seed} mapping", "teacher", len(DROPOUTS)):
        teacher, video, _ = bench.teacher(plan, 1.0)
        arms[name] = {
            "video": video,
            "teacher": {hidden: _zero_shot(bench, teacher, hidden) for hidden in (NOTHING, *SHARED)},
            "gain": {h: bench.gain(bench.labels(teacher, _hidden(h)), DISTILLED) for h in STUDENTS},
        }
    return {"seed": seed, "control": bench.control, "arms": arms}


def _hidden(name: str) -> tuple[str, ...]:
    return () if name == NOTHING else (name,)


def _zero_shot(bench: Bench, teacher: Teacher, hidden: str) -> dict[str, float]:
    """The teacher's own AUC on music's held-out impressions."""
    said = {s: bench.labels(teacher, _hidden(hidden), s, held_out=True) for s in SURFACE_TASKS}
    figures = {}
    for name, (surface, task, teacher_task) in MEASURED.items():
        seen = bench.world.held_out[surface].labels[..., SURFACE_TASKS[surface].index(task)]
        figures[name] = float(roc_auc_score(np.ravel(seen), np.ravel(said[surface][..., TASKS.index(teacher_task)])))
    return figures
