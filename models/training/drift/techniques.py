"""The techniques compared: the same teacher tasks and the same weight in each, so that they differ in nothing but where
the soft loss lands."""

import torch
from torch import Tensor

from training.examples import Examples
from training.students.plans import StudentPlan
from training.techniques import Auxiliary, Direct, Hard, technique_of
from training.techniques.tasks import CORRESPONDING

CONTROL = "control"
SOFT_WEIGHT = 4.0
TEACHER_TASKS = tuple(CORRESPONDING["home"].values())


class PlainDirect(Direct):
    """Direct distillation of the teacher's probabilities as they are, its rate included."""

    def prepare(self, labels: Tensor, teacher: Tensor) -> Tensor:
        """The corresponding tasks' softened probabilities."""
        return torch.sigmoid(teacher[:, self.of_teacher] / self.temperature)


def _plan(name: str, technique: str, **options: object) -> StudentPlan:
    return StudentPlan(name, "home", technique, f"Home ranker of the drift report: {name}.", options)


PLANS = {
    CONTROL: _plan(CONTROL, "none"),
    "direct": _plan("direct", "direct", weight=SOFT_WEIGHT),
    "direct at rate": _plan("direct at rate", "direct", weight=SOFT_WEIGHT),
    "auxiliary": _plan("auxiliary", "auxiliary", weight=SOFT_WEIGHT, tasks=TEACHER_TASKS),
}


def technique(name: str, examples: Examples) -> Hard | Direct | Auxiliary:
    """The technique of that name; `direct` is the plain one, `direct at rate` the one that the recipe uses."""
    if name == "direct":
        return PlainDirect(PLANS[name], examples.tasks, examples.teacher_tasks)
    return technique_of(PLANS[name], examples.tasks, examples.teacher_tasks)
