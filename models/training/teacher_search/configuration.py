"""What a teacher is searched over, as data: its size, its data, its features, and the tasks distilled from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from training.features.music_features import SCHEMAS
from training.features.teacher_inputs import OWN
from training.refusal import refuse_unknown
from training.students.network import Student
from training.teacher.network import Teacher
from training.teacher.plan import TeacherPlan
from training.teacher_search.bench import SURFACE, TASKS
from training.teacher_search.scale import SEARCH_BATCH

# Times the student's dense parameters.
SIZES = {"1x": 1, "2x": 2, "4x": 4, "8x": 8}
# Share of the video log.
SHARES = {"25%": 0.25, "50%": 0.5, "100%": 1.0}
# Inputs of the teacher's that it never learns to use.
FEATURES = {"all": (), "shared only": OWN, "no popularity, no age": ("popularity", "age")}
DISTILLED = {
    "click": ("click",),
    "click and completion": ("click", "completion"),
    "click, completion and like": ("click", "completion", "like"),
}
SPACE: Mapping[str, tuple[str, ...]] = {
    "size": tuple(SIZES),
    "share": tuple(SHARES),
    "features": tuple(FEATURES),
    "tasks": tuple(DISTILLED),
}


def dense_parameters(network: nn.Module) -> int:
    """Parameters outside of embedding tables: those that cost time for every candidate."""
    tables = sum(p.numel() for m in network.modules() if isinstance(m, nn.Embedding) for p in m.parameters())
    return sum(p.numel() for p in network.parameters()) - tables


def student_parameters() -> int:
    """The size that `1x` means."""
    return dense_parameters(Student(SCHEMAS[SURFACE], len(TASKS), 0))


def hidden_of(size: str) -> tuple[int, int]:
    """Widths (2k, k) of the smallest tower with at least so many times the student's parameters."""
    wanted, low, high = SIZES[size] * student_parameters(), 1, 4_096
    while low < high:
        middle = (low + high) // 2
        if dense_parameters(Teacher(0, TeacherPlan((2 * middle, middle)))) >= wanted:
            high = middle
        else:
            low = middle + 1
    return 2 * low, low


@dataclass(frozen=True)
class Configuration:
    """One point of the space, by names."""

    size: str
    share: str
    features: str
    tasks: str

    @property
    def teacher(self) -> tuple[TeacherPlan, float]:
        """The teacher's plan and its share of the video log; configurations that differ in tasks share them."""
        return TeacherPlan(hidden_of(self.size), FEATURES[self.features], batch=SEARCH_BATCH), SHARES[self.share]

    @property
    def distilled(self) -> dict[str, str]:
        """Student task to teacher task."""
        return {task: TASKS[task] for task in DISTILLED[self.tasks]}

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.size}, {self.share} of the log, features: {self.features}, tasks: {self.tasks}"


def narrowed(chosen: Mapping[str, Sequence[str] | None]) -> dict[str, tuple[str, ...]]:
    """The space with some of its sides cut down to the names given; an unknown side or name is refused."""
    space = dict(SPACE)
    for side, names in chosen.items():
        refuse_unknown("side", side, SPACE, "search space")
        for name in names or ():
            refuse_unknown(side, name, SPACE[side], "search space")
        space[side] = tuple(dict.fromkeys(names)) if names else SPACE[side]
    return space
