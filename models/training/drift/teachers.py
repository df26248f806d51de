"""Teacher policies: when a teacher is updated. All start from the same teacher of period 0."""

from training.drift.periods import Period
from training.drift.scale import DriftScale
from training.features.teacher_view import TeacherView
from training.teacher.network import Teacher
from training.teacher.training import train_teacher

POLICIES = ("once", "stepwise", "continuous")


def is_updated(policy: str, number: int, step: int) -> bool:
    """Whether the policy's teacher learns from period `number`'s video log."""
    return {"once": number == 0, "stepwise": number % step == 0, "continuous": True}[policy]


class TeacherRoom:
    """The teachers of one seed, one a policy, through the periods; an update goes on from the last teacher."""

    def __init__(self, seed: int, scale: DriftScale, view: TeacherView) -> None:
        self._seed, self._scale, self._view = seed, scale, view
        self._teachers: dict[str, Teacher] = {}

    def after(self, number: int, period: Period) -> dict[str, Teacher]:
        """Each policy's teacher once period `number` has been logged."""
        if number == 0:
            first, _ = train_teacher(self._seed, self._scale.world.teacher_epochs, self._view, period.video_log)
            self._teachers = dict.fromkeys(POLICIES, first)
            return dict(self._teachers)
        for policy in POLICIES:
            if is_updated(policy, number, self._scale.step):
                last = self._teachers[policy]
                self._teachers[policy], _ = train_teacher(self._seed + number, 1, self._view, period.video_log, last)
        return dict(self._teachers)
