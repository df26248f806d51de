"""Data augmentation: the direct loss, on requests as well that never had an outcome."""

from collections.abc import Mapping
from typing import ClassVar

from training.students.plans import StudentPlan
from training.techniques.direct import Direct


class Augmentation(Direct):
    """As Direct; beside the log, its examples hold `requests` times as many requests with teacher labels alone
    (`training.logs.unlabelled` draws them), where the hard loss has nothing to say."""

    options: ClassVar[Mapping[str, object]] = {**Direct.options, "requests": 1.0}

    def __init__(self, plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> None:
        super().__init__(plan, tasks, teacher_tasks)
        self.unlabelled_share = plan.number("requests", 1.0)
