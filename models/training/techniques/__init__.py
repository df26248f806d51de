"""How a teacher may have a say in a student's loss. A technique is one file and one entry here."""

from training.refusal import refuse_unknown
from training.students.plans import StudentPlan
from training.techniques.augmentation import Augmentation
from training.techniques.auxiliary import Auxiliary
from training.techniques.direct import Direct
from training.techniques.hard import Hard
from training.techniques.rank import Rank

TECHNIQUES: dict[str, type[Hard]] = {
    "none": Hard,
    "direct": Direct,
    "auxiliary": Auxiliary,
    "rank": Rank,
    "augmentation": Augmentation,
}


def technique_of(plan: StudentPlan, tasks: tuple[str, ...], teacher_tasks: tuple[str, ...]) -> Hard:
    """The plan's technique; an unknown technique, option or task is refused with the nearest name."""
    refuse_unknown("technique", plan.technique, TECHNIQUES, f'student "{plan.name}"')
    for option in plan.options:
        place = f'student "{plan.name}", technique "{plan.technique}"'
        refuse_unknown("option", option, TECHNIQUES[plan.technique].options, place)
    return TECHNIQUES[plan.technique](plan, tasks, teacher_tasks)
