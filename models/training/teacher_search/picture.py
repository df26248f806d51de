"""The frontier: what students gain against what their teachers cost, to train and to label with."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from training.reporting.picture import COLOURS, WIDTH_INCHES, save
from training.teacher_search.configuration import SIZES
from training.teacher_search.confirmation import COMMITTED, difference
from training.teacher_search.halving import Trial, frontier
from training.teacher_search.run import Found

MARKS = dict(zip(SIZES, ("o", "s", "^", "D"), strict=True))


def write_picture(path: Path, found: Found) -> None:
    """Writes the SVG. Filled: measured on every world; hollow: pruned, on fewer."""
    figure = Figure(figsize=(WIDTH_INCHES, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 3, 2))
    middle.sharey(left)
    _gains(left, found.trials, "seconds", "teacher's training (CPU seconds)")
    _gains(middle, found.trials, "label_ms", "labelling (CPU ms a 1,000 candidates)")
    if best := frontier(found.trials):
        left.plot([t.seconds for t in best], [100 * t.gain for t in best], color="black", lw=1, label="frontier")
    left.set_ylabel("student's gain in AUC over the control\n(points, mean of tasks)", fontsize=9)
    left.set_title("the search's worlds", fontsize=10)
    middle.set_title("the same trials", fontsize=10)
    _confirmed(right, found)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    save(figure, path)


def _gains(axis: Axes, trials: list[Trial], cost: str, label: str) -> None:
    for colour, (size, mark) in zip(COLOURS, MARKS.items(), strict=False):
        _trials(axis, [t for t in trials if t.configuration.size == size], cost, mark, colour, size)
    axis.axhline(0, color="black", linewidth=0.6)
    if trials:
        axis.set_xscale("log")
        axis.set_xticks([1, 2, 5, 10, 20])
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel(label, fontsize=9)
    axis.grid(color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)


def _confirmed(axis: Axes, found: Found) -> None:
    """Paired differences: the gain's level is the world's, and worlds differ by more than teachers do."""
    base = found.confirmed.get(COMMITTED, [])
    names = [n for n in found.confirmed if n != COMMITTED and difference(found.confirmed[n], base) is not None]
    for place, name in enumerate(names):
        of = difference(found.confirmed[name], base)
        axis.errorbar(place, 100 * of.mean, yerr=100 * of.half_width, fmt="o", color="black", capsize=3)
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xticks(range(len(names)), [n.replace(" of ", "\nof ") for n in names], fontsize=8)
    axis.set_xlim(-0.6, max(len(names), 1) - 0.4)
    axis.set_ylabel("gain minus that with the recipe's teacher\n(points, 95 % t interval)", fontsize=9)
    axis.set_title("fresh worlds", fontsize=10)
    axis.grid(axis="y", color="#dddddd", linewidth=0.6)


def _trials(axis: Axes, trials: list[Trial], cost: str, mark: str, colour: str, size: str) -> None:
    complete = [t for t in trials if t.ended == "complete"]
    others = [t for t in trials if t.ended != "complete"]
    gains = [[100 * t.gain for t in part] for part in (others, complete)]
    costs = [[getattr(t, cost) for t in part] for part in (others, complete)]
    axis.scatter(costs[0], gains[0], marker=mark, facecolors="none", edgecolors=colour, s=26, linewidths=0.9)
    axis.scatter(costs[1], gains[1], marker=mark, color=colour, s=34, label=f"teacher {size} the student")
