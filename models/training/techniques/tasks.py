"""Which of the teacher's tasks a student's task learns from."""

from collections.abc import Mapping
from types import MappingProxyType

from training.refusal import RefusedError, refuse_unknown
from training.students.plans import StudentPlan

# Student task to the teacher task that resembles it. Radio has none by nature: a plan must name its own.
CORRESPONDING = MappingProxyType({"home": {"click": "click", "completion": "watch_fraction", "like": "like"}})


def task_columns(
    plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]
) -> tuple[list[int], list[int]]:
    """Columns of the student's and of the teacher's tasks, pair by pair, from the plan's `tasks` or the surface's."""
    pairs = plan.options.get("tasks")
    if pairs is None:
        pairs = CORRESPONDING.get(plan.surface)
    place = f'student "{plan.name}", option "tasks"'
    if not isinstance(pairs, Mapping) or not pairs:
        raise RefusedError(
            f"{place}: expected a table from student task to teacher task, found {pairs!r}"
            f' (surface "{plan.surface}" has no correspondence of its own)'
        )
    for own, of_teacher in pairs.items():
        refuse_unknown("task", own, tasks, place)
        refuse_unknown("teacher task", of_teacher, teacher_tasks, place)
    return [tasks.index(t) for t in pairs], [teacher_tasks.index(t) for t in pairs.values()]
