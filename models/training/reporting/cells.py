"""Cells of a report's tables: intervals over seeds."""

from collections.abc import Sequence

from training.evaluation.intervals import Interval, t_interval


def interval_of(values: Sequence[float | None]) -> Interval | None:
    """The t interval, or None where a seed does not define the figure."""
    return None if any(v is None for v in values) else t_interval([v for v in values if v is not None])


def cell(interval: Interval | None, digits: int, scale: float = 1.0, sign: bool = False) -> str:
    """`mean ± half-width`, or `n/a`."""
    if interval is None:
        return "n/a"
    mean = f"{interval.mean * scale:{'+' if sign else ''}.{digits}f}"
    return f"{mean} ± {interval.half_width * scale:.{digits}f}"


def head(cells: Sequence[str], texts: int) -> list[str]:
    """A table's first two lines: its columns, of which the first `texts` hold words and the others figures."""
    return [row(cells), "|" + "---|" * texts + "---:|" * (len(cells) - texts)]


def seed_list(results: dict) -> str:
    """The seeds of the results' runs, as a sentence names them."""
    return ", ".join(str(run["seed"]) for run in results["runs"])


def row(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
