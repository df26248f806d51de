"""Figures of the techniques' results file: values a seed, and gains over the surface's control."""

from training.evaluation.intervals import Interval
from training.reporting.cells import interval_of

SLICES = {"all": "all items", "new": "new releases", "quiet": "low-activity listeners"}


def surfaces(results: dict) -> list[str]:
    """In the configuration's order."""
    return list(dict.fromkeys(s["surface"] for s in results["students"]))


def control(results: dict, surface: str) -> str:
    """Name of the surface's control."""
    return next(s["name"] for s in results["students"] if (s["surface"], s["technique"]) == (surface, "none"))


def treated(results: dict, surface: str) -> list[str]:
    """Names of the surface's treated students."""
    return [s["name"] for s in results["students"] if s["surface"] == surface and s["technique"] != "none"]


def short(name: str, surface: str) -> str:
    """The name without its surface in front."""
    return name.removeprefix(f"{surface} ")


def values(results: dict, name: str, key: str) -> list[float | None]:
    """One figure a seed; key is `<slice>/<task>/<metric>`."""
    return [run["students"][name][key] for run in results["runs"]]


def gain(results: dict, name: str, base: str, key: str) -> Interval | None:
    """The t interval of the difference from the control, paired by seed."""
    pairs = zip(values(results, name, key), values(results, base, key), strict=True)
    return interval_of([None if a is None or b is None else a - b for a, b in pairs])


def best(results: dict, surface: str, slice_name: str, task: str) -> str | None:
    """Name of the treated student of largest mean gain in AUC; None where no gain is defined."""
    base, key = control(results, surface), f"{slice_name}/{task}/auc"
    gains = {n: g for n in treated(results, surface) if (g := gain(results, n, base, key)) is not None}
    return max(gains, key=lambda n: gains[n].mean) if gains else None
