"""What a configuration is worth on one world: its student's gain, and what its teacher cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.scale import Scale
from training.teacher.network import Teacher
from training.teacher.plan import TeacherPlan
from training.teacher_search.bench import Bench
from training.teacher_search.configuration import dense_parameters

# Work that does not depend on the teacher: a student's training and the drawing of a world, as if it were so many
# teacher parameters times rows. Measured roughly; the budget learns the rate from what steps really take.
STUDENT_WORK = 3e10


@dataclass(frozen=True)
class Evaluation:
    """`gain`: held-out AUC a task over the control. `teacher_auc`: on held-out video, a record that nothing is chosen
    by. `seconds`: processor time of the teacher's training. `label_ms`: processor
    milliseconds a thousand candidates."""

    gain: dict[str, float]
    teacher_auc: dict[str, float]
    seconds: float
    label_ms: float

    @cached_property
    def mean_gain(self) -> float:
        """The objective: the mean over the student's tasks."""
        return float(np.mean(list(self.gain.values())))


class Evaluator:
    """Keeps worlds and labels: configurations that differ in distilled tasks alone share a teacher."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._benches: dict[int, Bench] = {}
        self._taught: dict[tuple, tuple[np.ndarray, dict[str, float], float, float]] = {}

    def work(self, plan: TeacherPlan, share: float) -> float:
        """Teacher parameters times rows, and the student."""
        return dense_parameters(Teacher(0, plan)) * share * self._scale.video_impressions + STUDENT_WORK

    def evaluate(self, seed: int, plan: TeacherPlan, share: float, distilled: Mapping[str, str]) -> Evaluation:
        """Trains what is not there yet."""
        bench = self._benches.get(seed) or self._benches.setdefault(seed, Bench(seed, self._scale))
        key = (seed, plan, share)
        if key not in self._taught:
            teacher, auc, seconds = bench.teacher(plan, share)
            self._taught[key] = (bench.labels(teacher), auc, seconds, bench.label_milliseconds(teacher))
        logits, auc, seconds, label_ms = self._taught[key]
        return Evaluation(bench.gain(logits, distilled), auc, seconds, label_ms)
