"""Bias and error over the periods, one column a teacher policy, one line a technique."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from training.drift.figures import interval
from training.drift.teachers import POLICIES
from training.reporting.picture import COLOURS, WIDTH_INCHES, save

ROWS = {
    "click/bias": "mean bias of P(click)\n(percentage points)",
    "click/error": "error of P(click), RMS\n(percentage points)",
}
TITLES = {
    "once": "teacher trained once",
    "stepwise": "teacher updated in steps",
    "continuous": "teacher updated every period",
}
LINES = {
    "teacher": ("teacher itself", COLOURS[6], ":"),
    "control": ("student, no teacher", COLOURS[4], "--"),
    "direct": ("direct", COLOURS[1], "-"),
    "direct at rate": ("direct, at the labels' rate", COLOURS[0], "-"),
    "auxiliary": ("auxiliary", COLOURS[2], "-"),
}


def write_picture(path: Path, results: dict) -> None:
    """Writes the SVG; bands are 95 % t intervals over seeds."""
    figure = Figure(figsize=(WIDTH_INCHES, 5.6), layout="constrained")
    axes = figure.subplots(len(ROWS), len(POLICIES), sharex=True, sharey="row")
    periods = np.arange(len(results["runs"][0]["arms"]["none/control"]))
    for row, (name, label) in enumerate(ROWS.items()):
        axes[row, 0].set_ylabel(label)
        for column, policy in enumerate(POLICIES):
            axis = axes[row, column]
            for technique, (words, colour, style) in LINES.items():
                arm = f"{'none' if technique == 'control' else policy}/{technique}"
                found = [interval(results, arm, name, p) for p in periods]
                mean = 100 * np.array([i.mean for i in found])
                half = 100 * np.array([i.half_width for i in found])
                axis.plot(periods, mean, style, color=colour, label=words, marker="o", markersize=3)
                axis.fill_between(periods, mean - half, mean + half, color=colour, alpha=0.15, linewidth=0)
            if name == "click/bias":
                axis.axhline(0, color="grey", linewidth=0.6)
            axis.grid(alpha=0.25)
            if row == 0:
                axis.set_title(TITLES[policy], fontsize=10)
            else:
                axis.set_xlabel("period")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)
