"""The frontier: what students gain against what their teachers cost, to train and to label with."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from training.reporting.picture import COLOURS, WIDTH_INCHES, save
from training.teacher_search.configuration import SIZES
from training.teacher_search.confirmation import gain
from training.teacher_search.halving import Trial, frontier
from training.teacher_search.run import Found

MARKS = dict(zip(SIZES, ("o", "s", "^", "D"), strict=True))
CONFIRMED_MARKS = ("*", "P", "X")


def write_picture(path: Path, found: Found) -> None:
    """Writes the SVG. Filled: measured on every world; hollow: pruned; bars: 95 % t intervals over fresh worlds."""
    figure = Figure(figsize=(WIDTH_INCHES, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axis, cost, label in (
        (left, "seconds", "teacher's training (CPU seconds)"),
        (right, "label_ms", "labelling (CPU ms a 1,000 candidates)"),
    ):
        for colour, (size, mark) in zip(COLOURS, MARKS.items(), strict=False):
            _trials(axis, [t for t in found.trials if t.configuration.size == size], cost, mark, colour, size)
        if cost == "seconds" and (best := frontier(found.trials)):
            axis.plot(
                [t.seconds for t in best], [100 * t.gain for t in best], color="black", lw=1, label="frontier", zorder=1
            )
        for mark, (name, evaluations) in zip(CONFIRMED_MARKS, found.confirmed.items(), strict=False):
            if (interval := gain(evaluations)) is not None:
                axis.errorbar(
                    np.mean([getattr(e, cost) for e in evaluations]),
                    100 * interval.mean,
                    yerr=100 * interval.half_width,
                    fmt=mark,
                    color="black",
                    markerfacecolor="white",
                    markersize=10,
                    capsize=3,
                    label=f"{name}, fresh worlds",
                )
        axis.axhline(0, color="black", linewidth=0.6)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(label, fontsize=9)
        axis.grid(color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    left.set_ylabel("student's gain in AUC over the control\n(points, mean of tasks)", fontsize=9)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    save(figure, path)


def _trials(axis: Axes, trials: list[Trial], cost: str, mark: str, colour: str, size: str) -> None:
    complete = [t for t in trials if t.ended == "complete"]
    others = [t for t in trials if t.ended != "complete"]
    gains = [[100 * t.gain for t in part] for part in (others, complete)]
    costs = [[getattr(t, cost) for t in part] for part in (others, complete)]
    axis.scatter(costs[0], gains[0], marker=mark, facecolors="none", edgecolors=colour, s=26, linewidths=0.9)
    axis.scatter(costs[1], gains[1], marker=mark, color=colour, s=34, label=f"teacher {size} the student")
