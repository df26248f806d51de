"""Which students are trained, as data: a name, a surface, and the technique that treats it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StudentPlan:
    """One student. `technique` is a key of `training.techniques.TECHNIQUES`, whose `options` say what may be set."""

    name: str
    surface: str
    technique: str
    description: str
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def treated(self) -> bool:
        """Whether the teacher has a say in this student."""
        return self.technique != "none"

    def number(self, option: str, default: float) -> float:
        """An option that must be a number above 0."""
        value = self.options.get(option, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise ValueError(f"student {self.name!r}, option {option!r}: expected a number above 0, found {value!r}")
        return float(value)


PLANS = (
    StudentPlan("home-control", "home", "none", "Home ranker trained on music outcomes alone."),
    StudentPlan(
        "home-kd", "home", "direct", "Home ranker whose serving logits also learn from teacher labels.", {"weight": 4.0}
    ),
    StudentPlan("radio-control", "radio", "none", "Radio ranker trained on music outcomes alone."),
    StudentPlan(
        "radio-kd",
        "radio",
        "auxiliary",
        "Radio ranker whose experts also learn from a non-serving teacher task.",
        {"weight": 6.0},
    ),
)
