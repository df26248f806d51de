"""Which students are trained, as data: a name, a surface, and the technique that treats it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StudentPlan:
    """One student. `technique` is a key of `training.techniques.TECHNIQUES`; `weight` multiplies its soft loss."""

    name: str
    surface: str
    technique: str
    weight: float
    description: str

    @property
    def treated(self) -> bool:
        """Whether the teacher has a say in this student."""
        return self.technique != "none"


PLANS = (
    StudentPlan("home-control", "home", "none", 0.0, "Home ranker trained on music outcomes alone."),
    StudentPlan("home-kd", "home", "direct", 4.0, "Home ranker whose serving logits also learn from teacher labels."),
    StudentPlan("radio-control", "radio", "none", 0.0, "Radio ranker trained on music outcomes alone."),
    StudentPlan(
        "radio-kd", "radio", "auxiliary", 6.0, "Radio ranker whose experts also learn from a non-serving teacher task."
    ),
)
