"""The picture of the comparison: gains in AUC over the control, one small panel a surface and task."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from training.logs.music_log import SURFACE_TASKS
from training.reporting.picture import COLOURS, WIDTH_INCHES
from training.reporting.technique_gains import SLICES, control, gain, short, surfaces, treated

MARKS = ("o", "s", "^")


def technique_picture(results: dict) -> Figure:
    """One row of panels a surface; points are means, bars 95 % t intervals over seeds, colours and marks slices."""
    rows = surfaces(results)
    figure, panels = plt.subplots(
        len(rows), 3, figsize=(WIDTH_INCHES, 2.9 * len(rows)), squeeze=False, sharey="row", constrained_layout=True
    )
    for line, surface in zip(panels, rows, strict=True):
        names, base = treated(results, surface), control(results, surface)
        for panel, task in zip(line, SURFACE_TASKS[surface], strict=True):
            for place, (slice_name, words) in enumerate(SLICES.items()):
                gains = [gain(results, name, base, f"{slice_name}/{task}/auc") for name in names]
                known = [(row, g) for row, g in enumerate(gains) if g is not None]
                panel.errorbar(
                    [100 * g.mean for _, g in known],
                    [row + 0.22 * (place - 1) for row, _ in known],
                    xerr=[100 * g.half_width for _, g in known],
                    fmt=MARKS[place],
                    color=COLOURS[place],
                    markersize=4,
                    linewidth=1.2,
                    label=words,
                )
            panel.axvline(0, color="black", linewidth=0.8)
            panel.grid(axis="x", color="#dddddd", linewidth=0.6)
            panel.set_axisbelow(True)
            panel.set_title(f"{surface}: {task}", fontsize=10)
            panel.set_xlabel("gain in AUC over the control (points)", fontsize=8)
            panel.set_yticks(range(len(names)), [short(n, surface) for n in names], fontsize=8)
            panel.set_ylim(len(names) - 0.5, -0.5)
            panel.tick_params(axis="x", labelsize=8)
    handles, words = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure
