"""What hiding each input costs: the teacher's AUC, and the student's gain, by the teacher's feature dropout."""

from pathlib import Path

from matplotlib.figure import Figure

from training.evaluation.intervals import Interval
from training.features.teacher_inputs import SHARED
from training.mapping_cost.figures import gain_cost, teacher_cost
from training.mapping_cost.measure import DROPOUTS, STUDENTS
from training.reporting.picture import COLOURS, WIDTH_INCHES, save

MARKS = ("o", "s", "^")


def write_picture(path: Path, results: dict) -> None:
    """Writes the SVG; bars are 95 % t intervals over seeds."""
    figure = Figure(figsize=(WIDTH_INCHES, 3.4), layout="constrained")
    home, radio, student = figure.subplots(1, 3, sharey=True)
    panels = (
        (home, "teacher, home: click", SHARED, lambda arm, name: teacher_cost(results, arm, name, "home/click")),
        (radio, "teacher, radio: completion", SHARED, lambda a, n: teacher_cost(results, a, n, "radio/completion")),
        (student, "home student, mean of tasks", STUDENTS[1:], lambda arm, name: gain_cost(results, arm, name)),
    )
    for axis, title, inputs, cost in panels:
        for place, arm in enumerate(DROPOUTS):
            found: list[tuple[int, Interval]] = [(SHARED.index(name), cost(arm, name)) for name in inputs]
            axis.errorbar(
                [100 * c.mean for _, c in found],
                [row + 0.22 * (place - 1) for row, _ in found],
                xerr=[100 * c.half_width for _, c in found],
                fmt=MARKS[place],
                color=COLOURS[place],
                markersize=4,
                linewidth=1.2,
                label=f"feature dropout: {arm}",
            )
        axis.axvline(0, color="black", linewidth=0.8)
        axis.grid(axis="x", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("AUC lost (points)", fontsize=9)
        axis.set_yticks(range(len(SHARED)), SHARED, fontsize=9)
        axis.set_ylim(len(SHARED) - 0.5, -0.5)
    figure.legend(*home.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    save(figure, path)
