"""How a teacher is made, as data."""

from dataclasses import dataclass

from training.features.teacher_inputs import MISSING
from training.refusal import RefusedError, refuse_unknown


@dataclass(frozen=True)
class TeacherPlan:
    """`hidden`: widths of the tower's two layers. `unused` inputs always take their missing value. Feature dropout in
    training: video's own features go missing together in `own_dropout` of the rows, and each shared one by itself in
    `shared_dropout`. `batch` is the rows a step. Raises RefusedError for an unknown input or a share outside [0, 1)."""

    hidden: tuple[int, int] = (256, 128)
    unused: tuple[str, ...] = ()
    own_dropout: float = 0.3
    shared_dropout: float = 0.0
    batch: int = 4_096

    def __post_init__(self) -> None:
        for name in self.unused:
            refuse_unknown("teacher input", name, MISSING, "teacher plan, unused")
        for field in ("own_dropout", "shared_dropout"):
            if not 0 <= getattr(self, field) < 1:
                raise RefusedError(
                    f"teacher plan, {field}: expected at least 0 and below 1, found {getattr(self, field)}"
                )


TEACHER_PLAN = TeacherPlan()
