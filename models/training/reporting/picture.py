"""Saves a report's picture so that the same figures give the same bytes."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
WIDTH_INCHES = 8.0


def save(figure: Figure, path: Path) -> None:
    """Writes an SVG without a date and with fixed ids; WIDTH_INCHES wide is readable at 800 pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "setlist", "svg.fonttype": "path"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
